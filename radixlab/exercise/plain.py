"""Makes plain data of what the learner's code returned: runs beside that code, before the wire.

The grader reads only whole numbers, finite numbers, short text and bounded lists of these. What is
something else is described in a short text, and the grader's readers refuse it by name.
"""

import reprlib
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
_MAY_BE_LONG = (list, tuple, dict, set, frozenset, bytes, bytearray)


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
    text = error_text(value, MAX_TEXT) if isinstance(value, BaseException) else None
    try:
        text = str.__getitem__(brief(value) if text is None else text, slice(MAX_TEXT))
        return " ".join(text.split()).encode("utf-8", "replace").decode()
    except BaseException:  # even its text may be an attack
        name = type.__dict__["__name__"].__get__(type(value))
        return f"an object of type {str.__getitem__(name, slice(40))}"


def error_text(error: BaseException, most: int) -> str | None:
    """Return the beginning of what an exception says, and build no more; None if it cannot say it.

    >>> error_text(ValueError("x" * 1_000_000), 3), error_text(KeyError("x"), 100)
    ('xxx', "'x'")
    """
    try:
        return str.__getitem__(_said_by(error), slice(most))
    except BaseException:
        return None


def _said_by(error: BaseException) -> str:
    """Do what `str` does, except that long arguments are cut."""
    how, args = type(error).__str__, error.args
    if how is KeyError.__str__ and len(args) == 1:
        return brief(args[0])
    if how not in (BaseException.__str__, KeyError.__str__) or not args:
        return str(error)
    if len(args) > 1:
        return brief(args)
    if type(args[0]) is str:
        return args[0]
    return brief(args[0]) if type(args[0]) in _MAY_BE_LONG else str(args[0])


class _Brief(reprlib.Repr):
    """Writes the beginning of what is long, as `repr` does, without the rest of it."""

    def repr1(self, value: Any, level: int) -> str:
        kind = type(value)
        if kind in (bytes, bytearray):
            return repr(value[:MAX_TEXT])
        if kind in (dict, set, frozenset) and len(value) > MAX_TEXT:
            return f"a {kind.__name__} of {len(value):,} entries"
        return super().repr1(value, level)

    def repr_instance(self, value: Any, level: int) -> str:
        return repr(value)


_BRIEF = _Brief()
brief = _BRIEF.repr
_BRIEF.maxlist = _BRIEF.maxtuple = _BRIEF.maxdict = _BRIEF.maxset = MAX_TEXT
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 4 * MAX_TEXT
