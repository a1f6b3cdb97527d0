"""Checks of a request at the engine's door, before anything is added.

A bad prompt raises a `TokenError` or a `RequestError`. A caller's mistake, such as an argument of
the wrong type, raises an `ArgumentError` or a `ConfigError`.
"""

from numbers import Integral

import numpy as np

from radixlab.cache.errors import TokenError
from radixlab.cache.tokens import TokenArray
from radixlab.sched.errors import ArgumentError


def check_flag(name: str, value: object) -> bool:
    """Return `value` as a bool; raise `ArgumentError` for anything else, even 0 and 1."""
    if not isinstance(value, bool | np.bool_):
        raise ArgumentError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def check_id(name: str, value: object) -> int:
    """Return an id as an int; raise `ArgumentError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, Integral):  # NumPy's ints are Integral
        raise ArgumentError(f"{name} must be an int, not {value!r}")
    return int(value)


def check_ids(prompt: TokenArray, vocab_size: int) -> None:
    """Raise `TokenError` for a prompt with which every step of the engine would fail."""
    if not len(prompt):
        raise TokenError("an empty prompt (0 tokens): there is nothing to compute")
    if wrong := np.flatnonzero((prompt < 0) | (prompt >= vocab_size)).tolist():
        raise TokenError(
            f"token {prompt[wrong[0]]} at position {wrong[0]}: "
            f"the model knows 0 to {vocab_size - 1}"
        )
