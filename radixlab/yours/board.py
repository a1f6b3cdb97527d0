"""The scoreboard: engines ranked by what they find, and the learner's own kept with their progress.

Three rows are always there: an engine that shares nothing, the engine with nothing chosen, and the
most that is possible. This file knows figures; `races.py` makes them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from tqdm.auto import tqdm

from radixlab.choices import not_one_of
from radixlab.grade.progress import Progress
from radixlab.home import is_static
from radixlab.yours.parts import Parts
from radixlab.yours.races import PLANNED, TRACES, Figures, race, scale

WORKLOADS = (*TRACES, *PLANNED)
NOTHING_SHARED, NOTHING_CHOSEN, BOUND = "no sharing", "nothing chosen", "the bound"
YOURS = "yours"


@dataclass(frozen=True, slots=True)
class Entry:
    """One engine, and what it found of each workload."""

    name: str
    figures: tuple[Figures, ...]

    @property
    def mean(self) -> float:
        """Mean hit rate over the workloads: what the scoreboard ranks by."""
        return fmean(each.hit_rate for each in self.figures)

    @property
    def way(self) -> float:
        """Mean share of the way to the bound."""
        return fmean(each.way for each in self.figures)

    @property
    def broken(self) -> str:
        """Which parts broke a rule, so that the engine's own served; empty where none did."""
        rules = {fault.part: fault.rule for one in self.figures for fault in one.faults}
        told = ", ".join(f"the {part} broke {rule}" for part, rule in rules.items())
        return told and f"{self.name}: {told}; from there on the engine's own part served"


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """Engines, the best one first."""

    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        workloads = [each.workload for each in self.entries[0].figures]
        ends = {
            BOUND: [scale(each)[1] for each in workloads],
            NOTHING_CHOSEN: [scale(each)[0] for each in workloads],
            NOTHING_SHARED: [0.0 for _ in workloads],
        }
        rows = {each.name: [one.hit_rate for one in each.figures] for each in self.entries}
        rows = dict(sorted((ends | rows).items(), key=lambda row: -fmean(row[1])))
        width = max(map(len, rows))
        head = "  ".join([f"{'hit rate':{width}}", *workloads, "  mean"])
        return "\n".join(
            [
                head,
                *(_row(name, rates, workloads, width) for name, rates in rows.items()),
                *(entry.broken for entry in self.entries if entry.broken),
            ]
        )

    def details(self, name: str = YOURS) -> str:
        """Return every figure of one engine, a line for each workload, and what broke.

        Raises `ValueError` where no engine has this name.
        """
        entry = next((each for each in self.entries if each.name == name), None)
        if entry is None:
            names = [each.name for each in self.entries]
            raise ValueError(f"engine {not_one_of(name, names)}")
        lines = [f"{name:16} hit rate  of the way   evicted  fairness"]
        for one in entry.figures:
            lines.append(
                f"{one.workload:16} {one.hit_rate:8.1%}  {one.way:10.0%}  {one.evicted_blocks:8,}"
                f"  {one.fairness:8.2f}"
            )
        faults = {fault.part: fault for one in entry.figures for fault in one.faults}
        return "\n".join([*lines, *(f"broken: {fault}" for fault in faults.values())])


def _row(name: str, rates: list[float], workloads: list[str], width: int) -> str:
    cells = [f"{rate:{len(each)}.1%}" for rate, each in zip(rates, workloads, strict=True)]
    return "  ".join([f"{name:{width}}", *cells, f"{fmean(rates):6.1%}"])


def scoreboard(
    engines: Mapping[str, Parts],
    workloads: tuple[str, ...] = WORKLOADS,
    run: Callable[[str, Parts], Figures] = race,
) -> Scoreboard:
    """Race engines over the workloads; the one that is called `yours` is kept with the progress.

    Raises `ValueError` or `TypeError` where there is no engine, or where one of these cannot race.
    """
    _can_race(engines, workloads)
    total = len(engines) * len(workloads)
    with tqdm(total=total, unit="race", leave=False, disable=is_static()) as bar:
        entries = []
        for name, parts in engines.items():
            figures = []
            for workload in workloads:
                figures.append(run(workload, parts))
                bar.update()
            entries.append(Entry(name, tuple(figures)))
    board = Scoreboard(tuple(sorted(entries, key=lambda entry: -entry.mean)))
    if YOURS in engines and not is_static():
        _keep(_record(next(e for e in entries if e.name == YOURS)))
    return board


def _can_race(engines: Mapping[str, Parts], workloads: tuple[str, ...]) -> None:
    """Refuse, before the first race, what no race could end with."""
    if not engines:
        raise ValueError("no engine to race: give parts by name, such as {'yours': own_parts()}")
    for name, parts in engines.items():
        if not isinstance(parts, Parts):
            raise TypeError(f"engine {name!r} must be Parts, and is {parts!r:.80}")
        if name in (BOUND, NOTHING_CHOSEN, NOTHING_SHARED):
            raise ValueError(f"the scoreboard has a row {name!r} of its own: choose another name")
    known = ", ".join(WORKLOADS)
    if isinstance(workloads, str) or not workloads:
        raise ValueError(f"workloads must be one or more of {known}, and is {workloads!r}")
    for workload in workloads:
        if workload not in WORKLOADS:
            raise ValueError(f"workload {not_one_of(workload, WORKLOADS)}")


def _keep(record: dict[str, Any]) -> None:
    """Keep the figures with the progress; a disk that cannot be written costs no scoreboard."""
    try:
        Progress().save_engine(record)
    except OSError as error:
        print(f"This run was not kept with your progress: {error}")


def _record(entry: Entry) -> dict[str, Any]:
    """Return an engine's figures as they are kept."""
    return {
        "hit_rate": entry.mean,
        "way": entry.way,
        "workloads": {
            one.workload: {
                "hit_rate": one.hit_rate,
                "way": one.way,
                "evicted_blocks": one.evicted_blocks,
                "fairness": one.fairness,
                "broken": [fault.rule for fault in one.faults],
            }
            for one in entry.figures
        },
    }
