"""Reads the learner's answers: every reader returns a checked value or raises `Failed` by name.

Answers arrive as plain data, and nothing in them is believed. A check that takes its values from
here cannot be surprised by one, so an exception in a check is a fault of the grader.
"""

import math
from typing import Any

from radixlab.exercise.plain import brief
from radixlab.grade.items import Failed

MAX_SHOWN = 80
"""Characters of a wrong value that are shown."""


def shown(value: Any) -> str:
    """Show a value that may be hostile in one short line.

    >>> shown([1, 2]), shown("x" * 200)[-3:]
    ('[1, 2]', 'xx…')
    """
    try:
        text = brief(value)
    except Exception:
        text = f"an object of type {type(value).__name__}"
    return one_line(text)


def one_line(value: Any) -> str:
    """Return text that came as one short printable line, and show anything else.

    >>> one_line("no   such node"), one_line(None)
    ('no such node', 'None')
    """
    if not isinstance(value, str):
        return shown(value)
    text = value[: 2 * MAX_SHOWN]
    text = " ".join("".join(c if c.isprintable() or c.isspace() else "�" for c in text).split())
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def whole(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """Return a whole number within bounds.

    >>> whole("block_size", 16, least=1)
    16
    >>> whole("until", -1, least=0)
    Traceback (most recent call last):
    radixlab.grade.items.Failed: until must be a whole number of at least 0; it is -1.
    """
    too_low = least is not None and type(value) is int and value < least
    too_high = most is not None and type(value) is int and value > most
    if type(value) is not int or too_low or too_high:
        raise Failed(f"{name} must be a whole number{_bounds(least, most)}; it is {shown(value)}.")
    return value


def finite(name: str, value: Any, least: float | None = None, most: float | None = None) -> float:
    """Return a finite number within bounds: never NaN, never infinity."""
    number = as_finite(value)
    if (
        number is None
        or not (least is None or number >= least)
        or not (most is None or number <= most)
    ):
        raise Failed(f"{name} must be a finite number{_bounds(least, most)}; it is {shown(value)}.")
    return number


def as_finite(value: Any) -> float | None:
    """Return a finite number as a float, and None for anything else."""
    if type(value) not in (int, float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def rows(name: str, value: Any, most: int) -> list[Any]:
    """Return a list of at most `most` entries."""
    if type(value) is not list:
        raise Failed(f"{name} must be a list; it is {shown(value)}.")
    if len(value) > most:
        raise Failed(f"{name} has {len(value):,} entries; at most {most:,} make sense here.")
    return value


def wholes(
    name: str, value: Any, most_entries: int, least: int | None = None, most: int | None = None
) -> list[int]:
    """Return a list of whole numbers within bounds."""
    return [
        whole(f"each entry of {name}", entry, least, most)
        for entry in rows(name, value, most_entries)
    ]


def _bounds(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {least:,} to {most:,}"
    if least is not None:
        return f" of at least {least:,}"
    return f" of at most {most:,}" if most is not None else ""
