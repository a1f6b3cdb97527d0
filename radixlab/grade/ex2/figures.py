"""The second part of the exercise: figures and conclusions follow from the samples as logged."""

from math import isclose
from statistics import median, quantiles
from typing import Any

from radixlab.exercise.cow import KINDS, MIN_SAMPLES, Cell, Conclusion
from radixlab.grade.ex2.audit import order, require
from radixlab.grade.ex2.groups import rounds
from radixlab.grade.ex2.oracle import conclusions, logged_seconds
from radixlab.grade.ex2.play import Run, show_s
from radixlab.grade.items import Failed
from radixlab.grade.reading import as_finite, shown

FACTS = ("copy_s", "copied_share", "break_even_blocks", "eager_over_cow")
SLACK = 1e-5
"""Relative difference that rounding may make."""


def report(run: Run) -> None:
    """Compute n, median and quartiles again, and look at the order of the rounds."""
    tables = {name: _table(run, name) for name in ("n", "median", "spread")}
    require(run, KINDS, order, rounds)
    cells = logged_seconds(run)
    for name, table in tables.items():
        if table.keys() != cells.keys():
            cell = min(table.keys() ^ cells.keys())
            there = name if cell in table else "the samples"
            raise run.failed(
                f"{name} has {len(table)} cells, the samples have {len(cells)}: {shown(cell)} "
                f"is only in {there}."
            )
    for cell, seconds in cells.items():
        n, middle, spread = (table[cell] for table in tables.values())
        _require_n(run, cell, len(seconds), n)
        if not _is_close(middle, median(seconds)):
            raise _wrong(run, "median", cell, show_s(median(seconds)), middle)
        _require_quartiles(run, cell, seconds, spread)


def concluded(run: Run) -> None:
    """Draw every conclusion again, also where nothing is copied."""
    found = [_conclusion(index, row) for index, row in enumerate(run.part("conclusions"))]
    found.sort(key=lambda one: (one.block_size, one.forks))
    right = conclusions(run)
    said, asked = ([(one.block_size, one.forks) for one in some] for some in (found, right))
    if said != asked:
        raise run.failed(
            f"There must be one conclusion for every (block_size, forks) that was measured, "
            f"{asked}; there are {shown(said)}."
        )
    for one, truth in zip(found, right, strict=True):
        for fact in FACTS:
            _compare(run, fact, getattr(one, fact), truth)


def _require_n(run: Run, cell: Cell, truth: int, value: Any) -> None:
    if type(value) is not int or value != truth:
        raise run.failed(f"n[{cell}] is {shown(value)}; the samples say {truth}.")
    if value < MIN_SAMPLES:
        raise run.failed(f"n[{cell}] is {value}: every cell needs {MIN_SAMPLES} samples or more.")


def _require_quartiles(run: Run, cell: Cell, seconds: list[float], value: Any) -> None:
    """Take any of the usual definitions of a quartile: they differ by one sample at most."""
    ends = value if isinstance(value, list) and len(value) == 2 else [None, None]
    if not all(_cuts(seconds, end, share) for end, share in zip(ends, (0.25, 0.75), strict=True)):
        low, _, high = quantiles(seconds, n=4) if len(seconds) > 1 else seconds * 3
        raise _wrong(run, "spread", cell, f"({show_s(low)}, {show_s(high)})", value)


def _cuts(seconds: list[float], value: Any, share: float) -> bool:
    """Tell whether this share of the samples lies below a value, give or take one sample."""
    at = as_finite(value)
    if at is None:
        return False
    below = sum(s < at * (1 - SLACK) for s in seconds)
    up_to = sum(s <= at * (1 + SLACK) for s in seconds)
    return below - 1 <= share * len(seconds) <= up_to + 1


def _compare(run: Run, fact: str, value: float | None, truth: Conclusion) -> None:
    right: float | None = getattr(truth, fact)
    if value is None or right is None:
        is_right = value is right
    else:
        is_right = isclose(value, right, rel_tol=SLACK)
    if not is_right:
        expected, actual = (_told(fact, one) for one in (right, value))
        raise Failed(
            f"{fact} of {(truth.block_size, truth.forks)} is {actual}; the samples, as the log "
            f"has them, say {expected}.",
            scenario=f"{run.code()}\nreport.conclusions",
            expected=f"{fact} = {expected}",
            actual=f"{fact} = {actual}",
        )


def _is_close(value: Any, truth: float) -> bool:
    number = as_finite(value)
    return number is not None and isclose(number, truth, rel_tol=SLACK)


def _told(fact: str, value: float | None) -> str:
    if value is None:
        return "None"
    return show_s(value) if fact == "copy_s" else f"{value:.4g}"


def _wrong(run: Run, name: str, cell: Cell, expected: str, value: Any) -> Failed:
    ends = value if isinstance(value, list) else [value]
    told = [show_s(end) if isinstance(end, float) else shown(end) for end in ends[:3]]
    actual = f"({', '.join(told)})" if isinstance(value, list) else told[0]
    return run.failed(
        f"{name}[{cell}] is {actual}; the samples, as the log has them, say {expected}."
    )


def _table(run: Run, name: str) -> dict[Cell, Any]:
    """Read `n`, `median` or `spread`; the values are still as they came."""
    table: dict[Cell, Any] = {}
    for row in run.part(name):
        key = row[0] if isinstance(row, list) and len(row) == 2 else None
        if not isinstance(key, list) or [type(one) for one in key] != [str, int, int, str]:
            raise Failed(
                f"A key of {name} must be (kind, block_size, forks, phase), as in Sample.cell; "
                f"it is {shown(key)}."
            )
        table[key[0], key[1], key[2], key[3]] = row[1]
    return table


def _conclusion(index: int, row: Any) -> Conclusion:
    values = row if isinstance(row, list) and len(row) == 2 + len(FACTS) else []
    if not values or any(type(value) is not int for value in values[:2]):
        raise Failed(f"conclusions[{index}] is not a Conclusion; it is {shown(row)}.")
    facts = [None if value is None else as_finite(value) for value in values[2:]]
    if facts != [None if value is None else value for value in values[2:]]:
        raise Failed(
            f"conclusions[{index}] holds something that is neither a finite number nor None: "
            f"{shown(row)}."
        )
    return Conclusion(*values)
