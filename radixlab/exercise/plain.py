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
"""Longest list that is sent; a longer one is cut, and therefore wrong."""
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
        number = int(index(value))  # NumPy's integers too
    except TypeError:
        return float(value) if isinstance(value, Real) else plain_text(value)
    return number if number.bit_length() <= MAX_BITS else "a number that is too large"


def plain_numbers(values: Iterable[Any], most: int = MAX_LENGTH) -> list[Any] | str:
    """Return any iterable of numbers as a list of at most `most`, and anything else as text."""
    try:
        return [plain_number(value) for value in islice(values, most)]
    except TypeError:
        return plain_text(values)


def plain_text(value: Any) -> str:
    """Describe any value, even a hostile one, in one short line."""
    try:
        text = str(value) if isinstance(value, BaseException) else repr(value)
        return " ".join(text[:MAX_TEXT].split())
    except BaseException:  # even its text may be an attack
        return f"an object of type {type(value).__name__[:40]}"
