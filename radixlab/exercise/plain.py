"""Makes plain data of what the learner's code returned: runs beside that code, before the wire.

The grader reads only whole numbers, finite numbers, short text and bounded lists of these. What is
something else is described in a short text, and the grader's readers refuse it by name.
"""

from collections.abc import Iterable
from itertools import islice
from numbers import Real
from operator import index
from typing import Any

MAX_LENGTH = 100_000
"""Longest list that is sent; a longer one is cut one entry later, and therefore wrong."""
MAX_BITS = 1_024
"""Of a whole number: no token, id or count has more."""
MAX_TEXT = 100


def plain_number(value: Any) -> int | float | str:
    """Return a whole or a real number of any type as Python's own, and anything else as text.

    >>> import numpy as np
    >>> plain_number(np.int8(3)), plain_number(np.float32(0.5)), plain_number("3")
    (3, 0.5, "'3'")
    """
    if type(value) is int and -(2**63) <= value < 2**63:
        return value  # nearly always
    try:
        number = _as_number(value)
    except Exception:
        return plain_text(value)
    if type(number) is int and number.bit_length() > MAX_BITS:
        return "a number that is too large"
    return number


def _as_number(value: Any) -> int | float:
    """Convert by the methods of `int` and `float`: a class of the learner's may have others."""
    try:
        return int.__index__(index(value))  # NumPy's integers too
    except TypeError:
        if not isinstance(value, Real):
            raise
        return float.__float__(value) if isinstance(value, float) else float(value)


def plain_numbers(values: Iterable[Any], most: int = MAX_LENGTH) -> list[Any] | str:
    """Return any iterable of numbers as a list, and anything else as text.

    A list of more than `most` is cut one entry later: it is still seen to be too long.
    """
    try:
        entries = iter(values)
    except TypeError:
        return plain_text(values)
    return [plain_number(value) for value in islice(entries, most + 1)]


def plain_text(value: Any) -> str:
    """Describe any value, even a hostile one, in one short line."""
    try:
        text = str(value) if isinstance(value, BaseException) else repr(value)
        text = str.__getitem__(text, slice(MAX_TEXT))  # a class of text may have another one
        return " ".join(text.split()).encode("utf-8", "replace").decode()
    except BaseException:  # even its text may be an attack
        name = type.__dict__["__name__"].__get__(type(value))
        return f"an object of type {str.__getitem__(name, slice(40))}"
