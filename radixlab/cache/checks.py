"""Checks of a request's arguments, before anything is changed."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

import numpy as np

from radixlab.cache.errors import (
    BlockError,
    CountError,
    NamespaceError,
    PromptTooLargeError,
    TokenError,
    TransferError,
)
from radixlab.cache.results import BlockIds
from radixlab.cache.tokens import INT32, Tokens, TokensLike, as_int32
from radixlab.cache.transfer import Transfer, Transfers
from radixlab.config import CacheConfig, as_int, shown
from radixlab.escape import count

PLENTY: Final = 2**40
"""Counts below this are accepted without further checks."""
MAX_COUNT_BITS: Final = 512
"""A count with more bits is a mistake; smaller counts are printed in messages."""


def check_count(name: str, value: object, least: int | None = None) -> int:
    """Return `value` as a plain int; raise `CountError` if it is not an int, or below `least`."""
    if type(value) is int and (least or 0) <= value < PLENTY:
        return value
    number = as_int(value)
    if number is None or number.bit_length() > MAX_COUNT_BITS:
        raise CountError(f"{name} must be an int, not {shown(value)}")
    if least is not None and number < least:
        raise CountError(f"{name} must be {least} or more, not {number}")
    return number


def check_prompt(tokens: TokensLike, reserve_tokens: int, config: CacheConfig) -> Tokens:
    """Return the prompt in its own buffer; raise if it can never be admitted.

    Its size is checked before the buffer is enlarged by `reserve_tokens`.
    """
    if type(tokens) is not Tokens or tokens.taken:
        tokens = as_int32(tokens)  # somebody else's: it will be copied
        num_tokens = len(tokens)
    else:
        num_tokens = tokens.num_tokens
    if num_tokens == 0:
        raise TokenError("an empty prompt (0 tokens): there is nothing to compute")
    if num_tokens + reserve_tokens > config.num_blocks * config.block_size:
        num_blocks = -(-(num_tokens + reserve_tokens) // config.block_size)
        raise PromptTooLargeError(
            f"a prompt of {count(num_tokens, 'token')} (+ {reserve_tokens} reserved) needs "
            f"{count(num_blocks, 'block')} of {config.block_size}, the pool has {config.num_blocks}"
        )
    if type(tokens) is Tokens:
        return tokens  # nobody has it yet: it becomes the sequence's own buffer
    return Tokens(tokens, reserve_tokens)


def check_transfers(transfers: Iterable[Any]) -> Sequence[Transfer]:
    """Convert any iterable of transfers, even a generator, to a list."""
    if type(transfers) is Transfers:
        return transfers
    try:
        transfers = list(transfers)
    except TypeError:
        raise TransferError(f"{shown(transfers)}  is not a list of transfers") from None
    for transfer in transfers:
        if type(transfer) is not Transfer:
            raise TransferError(f"{shown(transfer)}  is not a transfer: pass what a call returned")
    return transfers


def as_block_ids(block_ids: object) -> BlockIds:
    """Return block ids as int32 `[n]`; raise `BlockError` for anything else."""
    try:
        array = np.asarray(block_ids)
    except (ValueError, OverflowError, TypeError):
        raise BlockError(f"block ids must be a flat list of ints, not {shown(block_ids)}") from None
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise BlockError(f"block ids must be a flat list of ints, not {shown(block_ids)}")
    if array.size and not 0 <= int(array.min()) <= int(array.max()) <= INT32.max:
        raise BlockError(f"block ids must be from 0 to {INT32.max}, not {shown(block_ids)}")
    return array.astype(np.int32)


def check_namespace(namespace: object) -> None:
    """Raise `NamespaceError` unless it is a tagged pair: a bare "x" could be salt or adapter.

    Rules: K2.
    """
    if namespace is None:
        return
    is_pair = isinstance(namespace, tuple) and len(namespace) == 2
    if not is_pair or not all(isinstance(part, str) for part in cast(Any, namespace)):
        raise NamespaceError(f'a namespace is a pair such as ("salt", "x"), not {shown(namespace)}')
