"""`python -m tests.grade.mutation 8.5.1 8.5.4`: how many mutants of right solutions are killed.

A mutant is killed on a seed if the grader takes a point from it there. It is dropped if it is
still a right solution: `tests.grade.exN.equivalence.same(text, seed)` says so, on inputs ten times
as wide as the grader's; where it has a third argument, that is the text without the fault. The rate
is the killed ones among the rest.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tests.grade.mutation.child import Fate, Run, start, start_same
from tests.grade.mutation.choose import Mutant, mutants
from tests.grade.mutation.results import FOLDER, ROOT, Results, state_of, summary
from tests.grade.zoo import ZOOS, Zoo

LEAST_S = 3.0
"""Of CPU time for one item; a mutant may take TIMES as long as what it was made of, and this."""
TIMES = 8
RIGHT_S = 120.0
"""Of CPU time for an item of a right solution."""
SAME_S = 300.0
"""Of CPU time for one comparison, which is ten times as wide as the grader."""
SAME_SEED = 1_009
"""None that the grader is tried with."""
SURVIVED = "survived"


class Hunt:
    """The mutants of one exercise, and what is left to run."""

    def __init__(self, zoo: Zoo, asked: argparse.Namespace) -> None:
        self.zoo, self.asked = zoo, asked
        self.id = zoo.exercise.id
        sources = {n: t for n, t in zoo.right.items() if asked.source in (None, n)}
        self.mutants = mutants(sources, asked.num, asked.choice)
        if asked.only:
            self.mutants = [m for m in self.mutants if m.id in asked.only]
        self.sources = {name: sources[name] for name in {m.source for m in self.mutants}}
        self.results = Results(self.id, state_of(self._grader()), state_of(self._comparison()))
        if asked.survivors:
            self.mutants = [m for m in self.mutants if self._survived_before(m)]

    def _grader(self) -> list[Path]:
        """List what a fate rests on."""
        others = {f"ex{zoo.exercise.id[-1]}" for zoo in ZOOS.values() if zoo is not self.zoo}
        folders = (ROOT / "radixlab" / "grade", ROOT / "radixlab" / "exercise")
        found = [path for folder in folders for path in folder.rglob("*.py")]
        return [path for path in found if path.parent.name not in others]

    def _comparison(self) -> list[Path]:
        return list(self.zoo.folder.glob("*.py"))

    def _survived_before(self, mutant: Mutant) -> bool:
        """Whether the last run said so, whatever the grader was then."""
        last = FOLDER / f"{self.id}.md"
        return last.exists() and f"`{mutant.id}` survives" in last.read_text("utf-8")

    def run(self) -> None:
        """Run all that is missing, the first seed before the others."""
        self._right_ones()
        for seed in self.asked.seeds:
            jobs = [m for m in self.mutants if (m.id, seed) not in self.results.fates]
            self._prepare(seed, jobs)
            found = self._pool([(m.id, partial(self._start, m, seed)) for m in jobs], seed)
            for id, fate in found:
                self.results.add(id, seed, fate)
        self._compare()

    def _right_ones(self) -> None:
        """A source that is not right itself would have all its mutants killed: leave it out."""
        items = list(self.zoo.items)
        self.cpu_s = {}
        for seed in self.asked.seeds:
            jobs = []
            for name, text in self.sources.items():
                if (f"{name}:right", seed) not in self.results.fates:
                    begin = partial(start, self.zoo, text, seed, items, RIGHT_S)
                    jobs.append((f"{name}:right", begin))
            self._prepare(seed, jobs)
            for id, fate in self._pool(jobs, f"right, {seed}"):
                self.results.add(id, seed, fate)
        for name in list(self.sources):
            fates = {s: self.results.fates[f"{name}:right", s] for s in self.asked.seeds}
            self.cpu_s[name] = max(fate.cpu_s for fate in fates.values())
            for seed, fate in fates.items():
                if fate.how != SURVIVED:
                    print(
                        f"{self.id} {name} is left out: with seed {seed} it loses "
                        f"{fate.killed_by} ({fate.how}: {fate.said})"
                    )
                    self.mutants = [m for m in self.mutants if m.source != name]

    def _prepare(self, seed: int, jobs: Sequence) -> None:
        """Compute here, before the processes fork, what each of them would compute again."""
        if jobs and (prepare := getattr(self._equivalence(), "prepare", None)):
            prepare(seed)

    def _equivalence(self) -> Any:
        return importlib.import_module(f"tests.grade.{self.zoo.folder.name}.equivalence")

    def _start(self, mutant: Mutant, seed: int) -> Run:
        items = list(self.zoo.items)
        before = self.results.fates.get((mutant.id, self.asked.seeds[0]))
        if seed != self.asked.seeds[0] and before and before.killed_by in items:
            items.sort(key=lambda item: item != before.killed_by)  # it will probably do so again
        limit_s = LEAST_S + TIMES * self.cpu_s[mutant.source]
        return start(self.zoo, mutant.text, seed, items, limit_s)

    def _compare(self) -> None:
        """Ask of the mutants that some seed does not kill whether they are right."""
        same = self._equivalence().same
        left = [
            m
            for m in self.mutants
            if any(self.results.fates[m.id, s].how == SURVIVED for s in self.asked.seeds)
            if self.results.same.get(m.id) is None
        ]
        jobs = [(m.id, partial(self._start_same, same, m)) for m in left]
        for id, fate in self._pool(jobs, "compared"):
            self.results.add_same(id, {"same": True, "differs": False}.get(fate.how))

    def _start_same(self, same: Callable[..., bool], mutant: Mutant) -> Run:
        original = self.zoo.right[mutant.source]
        return start_same(same, mutant.text, original, SAME_SEED, SAME_S)

    def _pool(self, jobs: Sequence, what: object) -> Iterator[tuple[str, Fate]]:
        """Run some jobs side by side, and yield what came of each."""
        todo, running = list(reversed(jobs)), {}
        bar = tqdm(total=len(jobs), desc=f"{self.id} {what}", disable=None)
        try:
            while todo or running:
                while todo and len(running) < self.asked.jobs:
                    id, begin = todo.pop()
                    run = begin()
                    running[run.process.sentinel] = id, run, time.monotonic()
                wait(list(running), timeout=1)
                for sentinel, (id, run, begun) in list(running.items()):
                    asleep = time.monotonic() - begun > 10 * run.limit_s + 60
                    if run.process.exitcode is not None or asleep:
                        del running[sentinel]
                        if asleep:
                            run.process.kill()
                        yield id, run.fate()
                        bar.update()
        finally:
            bar.close()
            for _, run, _ in running.values():
                run.stop()

    def report(self) -> str:
        """Tell what came of it, and keep it beside the results."""
        whole = not (self.asked.only or self.asked.source or self.asked.survivors)
        text = summary(self.id, self.mutants, self.results, self.asked.seeds, list(self.zoo.items))
        if whole:
            (FOLDER / f"{self.id}.md").write_text(text + "\n", "utf-8")
        return text


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the mutants of the exercises that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.grade.mutation", description=__doc__)
    parser.add_argument("exercises", nargs="*", default=list(ZOOS), metavar="8.5.N")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--num", type=int, default=120, help="mutants of each exercise")
    parser.add_argument("--choice", type=int, default=0, help="another number, other mutants")
    parser.add_argument("--source", help="only mutants of this right solution")
    parser.add_argument("--only", nargs="+", metavar="ID", help="only these mutants")
    parser.add_argument("--survivors", action="store_true", help="those of the last report")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    asked = parser.parse_args(arguments)
    for exercise in asked.exercises:
        if exercise not in ZOOS:
            parser.error(f"no exercise {exercise}; there are {', '.join(ZOOS)}")
        hunt = Hunt(ZOOS[exercise], asked)
        try:
            hunt.run()
        finally:  # what is known by then
            print(hunt.report(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
