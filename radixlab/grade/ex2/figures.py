"""The fourth item: the figures follow from the samples, and the samples were taken in rounds."""

from itertools import pairwise
from statistics import median, quantiles
from typing import Any

from radixlab.exercise.cow import MIN_SAMPLES, Cell
from radixlab.grade.ex2.runs import Run, run, sweeps
from radixlab.grade.ex2.submitted import in_cells, number, show_s, told_value
from radixlab.grade.items import Failed, Trial

QUARTERS = 4
LEAST, MOST = 1 / 8, 3 / 8
"""Share of a combination's samples in each quarter of a run; fifteen rounds give 3 to 5 of 15."""


def check_report(trial: Trial) -> None:
    """Compute n, median and spread again, and look at the order."""
    for scene in sweeps(trial):
        result = run(trial, scene)
        cells = in_cells(result.samples)
        for name, check in (("n", _n), ("median", _median), ("spread", _spread)):
            table = result.report.table(name)
            if table.keys() != cells.keys():
                cell = sorted(table.keys() ^ cells.keys())[0]
                raise result.failed(
                    f"{name} has {len(table)} cells, the samples have {len(cells)}: {cell} is only "
                    f"in {f'{name}' if cell in table else 'the samples'}."
                )
            for cell, found in cells.items():
                check(result, cell, [sample.seconds for sample in found], table[cell])
        _require_order(result)
        _require_rounds(result)


def _n(result: Run, cell: Cell, seconds: list[float], value: Any) -> None:
    if type(value) is not int or value != len(seconds):
        raise _wrong(result, f"n[{cell}]", len(seconds), value)
    if value < MIN_SAMPLES:
        raise result.failed(
            f"n[{cell}] is {value}: every cell needs {MIN_SAMPLES} samples or more."
        )


def _median(result: Run, cell: Cell, seconds: list[float], value: Any) -> None:
    if not _splits(seconds, value, 0.5, slack=0.0):
        raise _wrong(result, f"median[{cell}]", show_s(median(seconds)), value)


def _spread(result: Run, cell: Cell, seconds: list[float], value: Any) -> None:
    """Take any of the usual definitions of a quartile: they differ by one place at most."""
    ends = value if isinstance(value, list) and len(value) == 2 else [None, None]
    if not all(
        _splits(seconds, end, share, slack=1.0)
        for end, share in zip(ends, (0.25, 0.75), strict=True)
    ):
        low, _, high = quantiles(seconds, n=4)
        raise _wrong(result, f"spread[{cell}]", f"({show_s(low)}, {show_s(high)})", value)


def _splits(seconds: list[float], value: Any, share: float, slack: float) -> bool:
    """Tell whether this share of the samples lies below a value, give or take `slack` samples."""
    at = number(value)
    if at is None:
        return False
    below, up_to = sum(s < at for s in seconds), sum(s <= at for s in seconds)
    return below <= share * len(seconds) + slack and up_to >= share * len(seconds) - slack


def _require_order(result: Run) -> None:
    for one, following in pairwise(result.samples):
        if following.start_s <= one.start_s:
            raise result.failed(
                f"A sample that began at {following.start_s:.9f} s is listed after one that began "
                f"at {one.start_s:.9f} s: list each once, in the order taken."
            )


def _require_rounds(result: Run) -> None:
    places: dict[tuple[str, int, int], list[int]] = {}
    for index, sample in enumerate(result.samples):
        quarters = places.setdefault((sample.kind, sample.block_size, sample.forks), [0] * QUARTERS)
        quarters[QUARTERS * index // len(result.samples)] += 1
    for combination, quarters in places.items():
        total = sum(quarters)
        if not all(LEAST <= num / total <= MOST for num in quarters):
            raise result.failed(
                f"Not in rounds: of the {total} samples of {combination}, {quarters} lie in the "
                f"four quarters of the run. Whatever changes during a run then looks like a "
                f"difference between combinations."
            )


def _wrong(result: Run, name: str, expected: object, actual: object) -> Failed:
    return result.failed(
        f"{name} does not follow from the samples: it is {told_value(actual)}, "
        f"and they say {expected}."
    )
