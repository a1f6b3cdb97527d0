"""Looking a request over at the engine's door, before anything is added.

What is wrong with a prompt is a `TokenError` or a `RequestError`; a caller's mistake, such as an
argument of another type, is an `ArgumentError` or a `ConfigError`.
"""

from numbers import Integral

import numpy as np

from radixlab.cache.errors import TokenError
from radixlab.cache.tokens import TokenArray
from radixlab.config import CacheConfig
from radixlab.sched.errors import ArgumentError, RequestTooLargeError


def check_flag(name: str, value: object) -> bool:
    """Return `value` as a bool; raise `ArgumentError` for anything else, 0 and 1 included."""
    if not isinstance(value, bool | np.bool_):
        raise ArgumentError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def check_id(name: str, value: object) -> int:
    """Return an id as an int; raise `ArgumentError` for what is none."""
    if isinstance(value, bool) or not isinstance(value, Integral):  # NumPy's ints are Integral
        raise ArgumentError(f"{name} must be an int, not {value!r}")
    return int(value)


def check_ids(prompt: TokenArray, vocab_size: int) -> None:
    """Raise `TokenError` for a prompt that would end the step of all others."""
    if not len(prompt):
        raise TokenError("an empty prompt (0 tokens): there is nothing to compute")
    if wrong := np.flatnonzero((prompt < 0) | (prompt >= vocab_size)).tolist():
        raise TokenError(
            f"token {prompt[wrong[0]]} at position {wrong[0]}: "
            f"the model knows 0 to {vocab_size - 1}"
        )


def room_for_answer(num_prompt: int, cache: CacheConfig, max_context_len: int | None) -> int:
    """Return how many tokens an answer can have, at least 1, if the request runs alone.

    The last token needs no KV, so the pool holds one more than it has slots; the model's context
    counts every token. Raises `RequestTooLargeError` if there is no room for a single one.
    """
    num_slots = cache.num_blocks * cache.block_size
    room, limit = (
        num_slots + 1 - num_prompt,
        f"the pool has {cache.num_blocks} blocks of {cache.block_size} tokens",
    )
    if max_context_len is not None and max_context_len < num_slots + 1:
        room = max_context_len - num_prompt
        limit = f"the model's context is {max_context_len} tokens"
    if room < 1:
        raise RequestTooLargeError(
            f"a prompt of {num_prompt} tokens leaves no room for an answer: {limit}"
        )
    return room
