"""A report as it came from the learner's code: nothing in it is believed before it was looked at.

Each part is read when a check needs it, so that a bad table costs only the items that are about it.
"""

import math
from collections import defaultdict
from typing import Any

from radixlab.exercise.cow import KINDS, PHASES, Cell, Conclusion, Sample
from radixlab.grade.items import Failed

FIELDS = Sample.__slots__
MAX_SAMPLES = 20_000
MAX_COUNT, MAX_SECONDS = 2**53, 1e6
"""Beyond these, sums and ratios would overflow; no run comes near."""


class Submitted:
    """What `benchmark` returned; every method raises `Failed` for what it cannot be."""

    def __init__(self, returned: Any) -> None:
        to_lists = getattr(returned, "as_lists", None)
        self._parts: Any = to_lists() if callable(to_lists) else None
        if not isinstance(self._parts, dict):
            raise Failed(
                f"benchmark must return a CowReport, and returned {_short(returned)}.",
                expected="CowReport(samples, n, median, spread, conclusions)",
                actual=_short(returned),
            )

    def samples(self) -> list[Sample]:
        """Read the samples, of which there is at least one."""
        rows = self._parts.get("samples")
        if not isinstance(rows, list) or not 0 < len(rows) <= MAX_SAMPLES:
            raise Failed(
                f"samples must be a list of 1 to {MAX_SAMPLES:,} Samples, and is "
                f"{f'one of {len(rows):,}' if isinstance(rows, list) else _short(rows)}."
            )
        return [_sample(number, row) for number, row in enumerate(rows)]

    def table(self, name: str) -> dict[Cell, Any]:
        """Read `n`, `median` or `spread`; the values are still as they came."""
        pairs = self._parts.get(name)
        if not isinstance(pairs, list):
            raise Failed(f"{name} must be a dictionary with a value for every cell.")
        try:
            return {_cell(key): value for key, value in pairs}
        except (TypeError, ValueError):
            raise Failed(
                f"A key of {name} is no cell: it must be (kind, block_size, forks, phase), as in "
                f"Sample.cell.",
                actual=_short([key for key, _ in pairs][:3]),
            ) from None

    def conclusions(self) -> list[Conclusion]:
        """Read the conclusions."""
        rows = self._parts.get("conclusions")
        if not isinstance(rows, list):
            raise Failed(f"conclusions must be a list of Conclusions, and is {_short(rows)}.")
        return [_conclusion(number, row) for number, row in enumerate(rows)]


def in_cells(samples: list[Sample]) -> dict[Cell, list[Sample]]:
    """Group samples by cell, in the order given."""
    cells: dict[Cell, list[Sample]] = defaultdict(list)
    for sample in samples:
        cells[sample.cell].append(sample)
    return dict(cells)


def number(value: Any) -> float | None:
    """Return a finite number as it is, and None for anything else."""
    if type(value) not in (int, float):
        return None
    try:
        known = float(value)
    except OverflowError:
        return None
    return known if math.isfinite(known) else None


def show_s(seconds: float) -> str:
    """Format a time.

    >>> show_s(4.25e-6)
    '4.25 µs'
    """
    return f"{seconds * 1e6:,.2f} µs"


def told_value(value: Any) -> str:
    """Format what was reported, which may be anything, as a time if it can be one.

    >>> told_value([2e-6, 3e-6]), told_value("soon"), told_value(None)
    ('(2.00 µs, 3.00 µs)', "'soon'", 'missing')
    """
    if value is None:
        return "missing"
    if isinstance(value, list):
        return f"({', '.join(map(told_value, value[:4]))})"
    return show_s(value) if isinstance(value, float) else _short(value)


def _sample(index: int, row: Any) -> Sample:
    if not isinstance(row, list) or len(row) != len(FIELDS):
        raise Failed(f"samples[{index}] is not a Sample.", actual=_short(row))
    kind, block_size, forks, phase, start_s, seconds, copies, num_bytes = row
    wrong = None
    if kind not in KINDS or phase not in PHASES:
        wrong = f"kind {_short(kind)}, phase {_short(phase)}; there are {KINDS} and {PHASES}"
    elif any(_count(value) is None for value in (block_size, forks, copies, num_bytes)):
        wrong = "a number that must be whole, from 0 up, and is not"
    elif number(start_s) is None or not 0 < (number(seconds) or 0.0) < MAX_SECONDS:
        wrong = f"start_s {_short(start_s)} and seconds {_short(seconds)}: no time that passed"
    if wrong:
        pairs = zip(FIELDS, row, strict=True)
        fields = ", ".join(f"{name}={_short(value)}" for name, value in pairs)
        raise Failed(f"samples[{index}] has {wrong}.", actual=f"Sample({fields})")
    return Sample(*row)


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < MAX_COUNT else None


def _cell(key: Any) -> Cell:
    kind, block_size, forks, phase = key
    if not (isinstance(kind, str) and isinstance(phase, str)):
        raise ValueError(key)
    if type(block_size) is not int or type(forks) is not int:
        raise ValueError(key)
    return kind, block_size, forks, phase


def _conclusion(index: int, row: Any) -> Conclusion:
    values = row if isinstance(row, list) and len(row) == 6 else []
    sizes, facts = values[:2], values[2:]
    if not values or any(type(size) is not int for size in sizes):
        raise Failed(f"conclusions[{index}] is not a Conclusion.", actual=_short(row))
    if any(fact is not None and number(fact) is None for fact in facts):
        raise Failed(
            f"conclusions[{index}] holds something that is neither a finite number nor None.",
            actual=_short(row),
        )
    return Conclusion(*values)


def _short(value: Any) -> str:
    """Show a value that may be hostile, in one line."""
    try:
        text = repr(value)
    except Exception:
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:100]}…"
