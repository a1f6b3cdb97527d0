"""What came of each mutant, kept in a file as it comes: an interrupted run goes on where it was."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.grade.mutation.child import Fate
from tests.grade.mutation.choose import Mutant
from tests.grade.mutation.kinds import KINDS

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "tests" / "artifacts" / "zoo"


class Results:
    """The fates of one exercise's mutants by seed, under one state of the grader."""

    def __init__(
        self, exercise: str, state: str, same_state: str = "", folder: Path = FOLDER
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{exercise}.jsonl"
        self.state, self.same_state = state, same_state
        self.fates: dict[tuple[str, int], Fate] = {}
        self.same: dict[str, bool | None] = {}
        """By mutant: whether it is still a right solution; None where nobody can say."""
        self._read()
        self._file = self.path.open("a", encoding="utf-8")

    def add(self, id: str, seed: int, fate: Fate) -> None:
        """Keep the fate of a mutant under one seed."""
        self.fates[id, seed] = fate
        self._write({"id": id, "seed": seed, "fate": [*_values(fate)]})

    def add_same(self, id: str, same: bool | None) -> None:
        """Keep whether a survivor is a right solution."""
        self.same[id] = same
        self._write({"id": id, "same": same, "by": self.same_state})

    def _write(self, line: dict[str, object]) -> None:
        self._file.write(json.dumps({"state": self.state, **line}) + "\n")
        self._file.flush()

    def _read(self) -> None:
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        for text in lines:
            try:
                line = json.loads(text)
            except ValueError:  # cut short when the last run was ended
                continue
            if line["state"] != self.state:
                continue
            if "fate" in line:
                self.fates[line["id"], line["seed"]] = Fate(*line["fate"])
            elif line["by"] == self.same_state:
                self.same[line["id"]] = line["same"]


def _values(fate: Fate) -> Iterable[object]:
    return (fate.killed_by, fate.how, fate.said, round(fate.cpu_s, 3))


def state_of(paths: Iterable[Path]) -> str:
    """Return a digest of Python files: the grader, or the comparison, that was tried."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def summary(
    exercise: str,
    mutants: Sequence[Mutant],
    results: Results,
    seeds: Sequence[int],
    items: list[str],
) -> str:
    """Tell the kill rates by seed, item, kind and source, and list the survivors."""
    judged = [m for m in mutants if all((m.id, seed) in results.fates for seed in seeds)]
    rest = [m for m in judged if results.same.get(m.id) is not True]
    lines = [f"## {exercise}: {len(judged)} mutants, {len(judged) - len(rest)} equivalent"]
    if not rest:
        return "\n".join(lines)
    rates = []
    for seed in seeds:
        killed = [m for m in rest if _killed(results, m, seed)]
        rates.append(len(killed) / len(rest))
        lines.append(f"- seed {seed}: {len(killed)} of {len(rest)} killed, {rates[-1]:.1%}")
    lines.append(f"- **mean kill rate {sum(rates) / len(rates):.1%}**")
    lines += _by_item(rest, results, seeds[0], items)
    for title, keys in (("kind", KINDS), ("source", sorted({m.source for m in rest}))):
        lines += [f"\n| {title} | killed on every seed | of |", "|---|---:|---:|"]
        for key in keys:
            own = [m for m in rest if key in (m.kind, m.source)]
            always = [m for m in own if all(_killed(results, m, seed) for seed in seeds)]
            lines.append(f"| {key} | {len(always)} | {len(own)} |")
    lines += [*_ours(rest, results, seeds), *_survivors(rest, results, seeds)]
    return "\n".join([*lines, *_unlucky(judged, results, seeds)])


def _killed(results: Results, mutant: Mutant, seed: int) -> bool:
    return results.fates[mutant.id, seed].how != "survived"


def _by_item(rest: list[Mutant], results: Results, seed: int, items: list[str]) -> list[str]:
    """Count by the item that failed first; on the first seed they run in their order."""
    hows: dict[str | None, Counter[str]] = defaultdict(Counter)
    for mutant in rest:
        fate = results.fates[mutant.id, seed]
        hows[fate.killed_by][fate.how] += 1
    lines = [
        f"\n| item | killed first (seed {seed}) | of those left | how |",
        "|---|---:|---:|---|",
    ]
    left = len(rest)
    for item in items:
        num = hows[item].total()
        how = ", ".join(f"{name} {count}" for name, count in sorted(hows[item].items()))
        lines.append(f"| {item} | {num} | {num / left if left else 1:.0%} | {how} |")
        left -= num
    return lines


def _ours(rest: list[Mutant], results: Results, seeds: Sequence[int]) -> list[str]:
    """List where the check itself raised: a fault of the grader, whatever the mutant is."""
    lines = []
    for mutant in rest:
        fates = [results.fates[mutant.id, seed] for seed in seeds]
        said = next((fate for fate in fates if fate.how == "ours"), None)
        if said:
            lines.append(f"- `{mutant.id}` in {said.killed_by}: {said.said}")
    return [f"\n### The check itself raised ({len(lines)})", *lines] if lines else []


def _survivors(rest: list[Mutant], results: Results, seeds: Sequence[int]) -> list[str]:
    found = []
    for mutant in rest:
        spared = [seed for seed in seeds if not _killed(results, mutant, seed)]
        if spared:
            known = {False: "", None: ", not compared"}[results.same.get(mutant.id)]
            seeds_text = ", ".join(map(str, spared))
            found.append(
                f"`{mutant.id}` survives seeds {seeds_text}{known}\n```diff\n{mutant.diff}\n```"
            )
    return [f"\n### Survivors ({len(found)})", *found]


def _unlucky(judged: list[Mutant], results: Results, seeds: Sequence[int]) -> list[str]:
    """List the right ones that a seed killed all the same: the grader was unfair to them."""
    lines = []
    for mutant in judged:
        killed = [str(seed) for seed in seeds if _killed(results, mutant, seed)]
        if killed and results.same.get(mutant.id):
            lines.append(f"- `{mutant.id}`: killed on seeds {', '.join(killed)}")
    return [f"\n### Equivalent, and killed all the same ({len(lines)})", *lines] if lines else []
