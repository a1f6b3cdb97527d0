"""Looking a request over at the door, before anything is touched."""

from operator import index
from typing import SupportsIndex

import numpy as np

from radixlab.cache.errors import (
    BlockError,
    CountError,
    NamespaceError,
    PromptTooLargeError,
    TokenError,
)
from radixlab.cache.protocols import BlockIds
from radixlab.cache.tokens import INT32, Tokens, TokensLike, own
from radixlab.config import CacheConfig
from radixlab.events import Namespace


def check_count(name: str, value: object) -> int:
    """Return `value` as a plain int; a `CountError` names what is none."""
    if type(value) is int:
        return value
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise CountError(f"{name} must be an int, not {value!r}")
    return index(value)


def check_prompt(tokens: TokensLike, reserve_tokens: int, config: CacheConfig) -> Tokens:
    """Return the prompt in a buffer of its own; raise if it could never be admitted."""
    room, reserve_tokens = (
        config.num_blocks * config.block_size,
        check_count("reserve_tokens", reserve_tokens),
    )
    if reserve_tokens < 0:
        raise CountError(f"reserve_tokens must be 0 or more, not {reserve_tokens}")
    prompt = own(tokens, min(reserve_tokens, room))
    if not prompt.num_tokens:
        raise TokenError("an empty prompt (0 tokens): there is nothing to compute")
    if prompt.num_tokens + reserve_tokens > room:
        num_blocks = -(-(prompt.num_tokens + reserve_tokens) // config.block_size)
        raise PromptTooLargeError(
            f"a prompt of {prompt.num_tokens} tokens (+ {reserve_tokens} reserved) needs "
            f"{num_blocks} blocks of {config.block_size}, the pool has {config.num_blocks}"
        )
    return prompt


def as_block_ids(block_ids: object) -> BlockIds:
    """Return block ids as int32 `[n]`; raise `BlockError` for what cannot be one."""
    array = np.asarray(block_ids)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise BlockError(f"block ids must be a flat list of ints, not {block_ids!r}")
    if array.size and not 0 <= int(array.min()) <= int(array.max()) <= INT32.max:
        raise BlockError(f"block ids must be from 0 to {INT32.max}, not {block_ids!r}")
    return array.astype(np.int32)


def check_namespace(namespace: Namespace | None) -> None:
    """Raise `NamespaceError` unless it is a tagged pair: a bare "x" could be salt or adapter."""
    if namespace is None:
        return
    pair = isinstance(namespace, tuple) and len(namespace) == 2
    if not pair or not all(isinstance(part, str) for part in namespace):
        raise NamespaceError(f'a namespace is a pair such as ("salt", "x"), not {namespace!r}')
