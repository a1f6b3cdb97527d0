"""The second part of the exercise: figures and conclusions follow from the samples as logged."""

from math import isclose
from statistics import median, quantiles
from typing import Any

from radixlab.exercise.cow import KINDS, Cell
from radixlab.grade.ex2.audit import enough, order, require
from radixlab.grade.ex2.groups import as_often, rounds
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
    require(run, KINDS, order, as_often, rounds, enough)
    cells = logged_seconds(run)
    for name, table in tables.items():
        if table.keys() != cells.keys():
            cell = min(table.keys() ^ cells.keys())
            there = name if cell in table else "the samples"
            what = f"{name} has {len(table)} cells, the samples have {len(cells)}"
            raise run.failed(f"{what}: {shown(cell)} is only in {there}.")
    for cell, seconds in cells.items():
        n, middle, spread = (table[cell] for table in tables.values())
        _require(run, f"n[{cell}]", n, len(seconds), type(n) is int and n == len(seconds))
        truth_s = median(seconds)
        _require(run, f"median[{cell}]", middle, truth_s, _is_close(middle, truth_s))
        low_s, _, high_s = quantiles(seconds, n=4)
        is_right = _are_quartiles(seconds, spread)
        _require(run, f"spread[{cell}]", spread, [low_s, high_s], is_right)


def concluded(run: Run) -> None:
    """Compute every conclusion again, also where nothing is copied."""
    found = [_conclusion(index, row) for index, row in enumerate(run.part("conclusions"))]
    found.sort(key=lambda one: one[0])
    right = conclusions(run)
    said, asked = [pair for pair, _ in found], [(one.block_size, one.forks) for one in right]
    if said != asked:
        raise run.failed(
            f"There must be one conclusion for every (block_size, forks) that was measured, "
            f"{asked}; there are {shown(said)}."
        )
    for (pair, facts), truth in zip(found, right, strict=True):
        for fact, value in zip(FACTS, facts, strict=True):
            wanted = getattr(truth, fact)
            is_right = value is None if wanted is None else _is_close(value, wanted)
            _require(run, f"{fact} of {pair}", value, wanted, is_right, fact == "copy_s")


def _require(
    run: Run, name: str, value: Any, truth: Any, is_right: bool, is_time: bool = True
) -> None:
    if not is_right:
        said, right = (_told(one, is_time) for one in (value, truth))
        raise run.failed(f"{name} is {said}; the samples, as the log has them, say {right}.")


def _told(value: Any, is_time: bool) -> str:
    if isinstance(value, list):
        return f"({', '.join(_told(one, is_time) for one in value[:3])})"
    if not isinstance(value, float):
        return shown(value)
    return show_s(value) if is_time else f"{value:.4g}"


def _is_close(value: Any, truth: float) -> bool:
    number = as_finite(value)
    return number is not None and isclose(number, truth, rel_tol=SLACK)


def _are_quartiles(seconds: list[float], value: Any) -> bool:
    """Take any of the usual definitions of a quartile: they differ by one sample at most."""
    ends = value if isinstance(value, list) and len(value) == 2 else [None, None]
    for at, share in zip(map(as_finite, ends), (0.25, 0.75), strict=True):
        if at is None:
            return False
        below = sum(one < at * (1 - SLACK) for one in seconds)
        up_to = sum(one <= at * (1 + SLACK) for one in seconds)
        if not below - 1 <= share * len(seconds) <= up_to + 1:
            return False
    return True


def _table(run: Run, name: str) -> dict[Cell, Any]:
    """Read `n`, `median` or `spread`; the values are still as they came."""
    table: dict[Cell, Any] = {}
    for row in run.part(name):
        key = row[0] if isinstance(row, list) and len(row) == 2 else None
        if not isinstance(key, list) or [type(one) for one in key] != [str, int, int, str]:
            cell = "(kind, block_size, forks, phase), as in Sample.cell"
            raise Failed(f"A key of {name} must be {cell}; it is {shown(key)}.")
        table[key[0], key[1], key[2], key[3]] = row[1]
    return table


def _conclusion(index: int, row: Any) -> tuple[tuple[int, int], list[Any]]:
    if not isinstance(row, list) or [type(one) for one in row[:2]] != [int, int] or len(row) != 6:
        raise Failed(f"conclusions[{index}] is not a Conclusion; it is {shown(row)}.")
    return (row[0], row[1]), row[2:]
