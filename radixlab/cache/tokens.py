"""Token ids as memory: one growable int32 buffer per request.

The speed of the tree rests on this. Two runs of tokens are equal if their bytes are equal. So an
edge is compared by one memory comparison, a child is found by hashing 4 · block_size bytes, and an
edge is a *view* of the buffer of the request that inserted it. Written entries never change. Growth
moves to a new buffer, and leaves the old one to its views.

This file knows bytes. It does not know blocks or trees.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy import ndarray

from radixlab.cache.errors import CountError, TokenError
from radixlab.config import Count, as_int, shown

TOKEN_BYTES: Final = 4
MAX_RESERVED_TOKENS: Final = 2**20
"""The most spare room to allocate in advance; more is allocated on demand."""
TokenArray = npt.NDArray[np.int32]
INT32 = np.iinfo(np.int32)
INT32_DTYPE: Final = np.dtype(np.int32)
"""NumPy has one object for this dtype, so `is` suffices; any other dtype takes the slow path."""
_NOTHING: Final = bytearray()


class Tokens:
    """Token ids, int32, readable and growable at the end.

    `data` is the memory, and `view` a `memoryview` of it; the first `len(tokens) * 4` bytes are
    written.

    >>> tokens = Tokens([1, 2, 3])
    >>> tokens.append(np.array([4], np.int32))
    >>> tokens.token_ids
    array([1, 2, 3, 4], dtype=int32)
    """

    __slots__ = ("data", "num_tokens", "taken", "view")

    def __init__(self, tokens: "TokensLike" = (), reserve_tokens: Count = 0) -> None:
        """Copy `tokens`, with room for more.

        Raises the errors of `as_int32`, and `CountError` for a bad `reserve_tokens`.
        """
        array = as_int32(tokens)
        reserved = reserve_tokens if type(reserve_tokens) is int else as_int(reserve_tokens)
        if reserved is None or reserved < 0:
            raise CountError(f"reserve_tokens must be 0 or more, not {shown(reserve_tokens)}")
        self.num_tokens: int = len(array)
        prompt = np.ascontiguousarray(array)
        room = bytes(min(reserved, MAX_RESERVED_TOKENS) * TOKEN_BYTES)
        self.data = _NOTHING.join((prompt.data, room))  # one pass over the prompt
        self.view = memoryview(self.data)
        self.taken = False
        """Whether a sequence owns this buffer and appends to it."""

    def __len__(self) -> int:
        return self.num_tokens

    def __reduce__(self) -> tuple[Callable[..., "Tokens"], tuple[TokenArray]]:
        # `copy`, `deepcopy` and `pickle` call this; the result shares no memory.
        return Tokens, (self.token_ids,)

    @property
    def token_ids(self) -> TokenArray:
        """The ids, int32 `[num_tokens]`, without a copy. Read-only."""
        ids = np.frombuffer(self.data, np.int32, self.num_tokens)
        ids.flags.writeable = False
        return ids

    def append(self, token_ids: "TokensLike") -> None:
        """Append ids; raise `TokenError` if a sequence owns the buffer."""
        if self.taken:
            raise TokenError("a sequence owns these tokens: append through its manager")
        self.grow(as_int32(token_ids))

    def grow(self, token_ids: "TokensLike") -> None:
        """Append ids, as the owner; amortised cost O(n)."""
        extend(self, as_int32(token_ids))

    def prefix(self, num_tokens: Count) -> "Tokens":
        """Copy the first `num_tokens` ids into a new buffer."""
        number = as_int(num_tokens)
        if number is None or not 0 <= number <= self.num_tokens:
            few = f"there are {self.num_tokens}"
            raise CountError(f"no prefix of {shown(num_tokens)} tokens: {few}")
        return Tokens(self.token_ids[:number])


def extend(tokens: Tokens, token_ids: TokenArray) -> None:
    """Append ids that were checked before, int32 `[n]`, as the owner."""
    new_bytes = token_ids.tobytes()
    old = tokens.num_tokens * TOKEN_BYTES
    new = old + len(new_bytes)
    if new > len(tokens.data):  # a larger buffer; the old one stays for its views
        tokens.data = _NOTHING.join((tokens.view[:old], bytes(max(new - old, old // 2))))
        tokens.view = memoryview(tokens.data)
    tokens.view[old:new] = new_bytes
    tokens.num_tokens = new // TOKEN_BYTES


TokensLike = Tokens | Sequence[int] | npt.NDArray[np.integer]
"""What the cache accepts as token ids. An int32 array costs one copy; a list costs a conversion of
every id."""


def as_tokens(tokens: TokensLike) -> Tokens:
    """Return `tokens` as `Tokens`, converting once; a `Tokens` is passed through, not copied."""
    return tokens if type(tokens) is Tokens else Tokens(tokens)


def as_int32(tokens: TokensLike) -> TokenArray:
    """Return token ids as int32 `[n]`.

    Raises `TokenError` for ids that are not ints or do not fit int32, and for nested lists.
    """
    if type(tokens) is ndarray and tokens.dtype is INT32_DTYPE and tokens.ndim == 1:
        return tokens  # type: ignore[return-value]  # mypy does not see the dtype checked
    if isinstance(tokens, Tokens):
        return tokens.token_ids
    try:
        array = np.asarray(tokens)
    except (ValueError, OverflowError, TypeError, RuntimeError) as error:
        raise TokenError(f"tokens must be a flat list of ints: {shown(str(error))}") from None
    if isinstance(tokens, np.ma.MaskedArray) and np.ma.getmaskarray(tokens).any():
        raise TokenError("tokens are masked: masked entries are not ids")
    if array.ndim != 1:
        raise TokenError(f"tokens must have one dimension, not shape {array.shape}")
    if array.size == 0:
        return np.empty(0, np.int32)
    hidden_bool = isinstance(tokens, Sequence) and bool in set(map(type, tokens))  # not an id
    if hidden_bool or array.dtype.kind not in "iu":
        raise TokenError(_first_bad_token(tokens, array))
    low, high = int(array.min()), int(array.max())
    if low < INT32.min or high > INT32.max:
        raise TokenError(f"token id {low if low < INT32.min else high} does not fit int32")
    return array.astype(np.int32)


def _first_bad_token(tokens: TokensLike, array: npt.NDArray[np.generic]) -> str:
    items = tokens if isinstance(tokens, Sequence) else array.ravel().tolist()
    for position, item in enumerate(items):
        if isinstance(item, bool) or not isinstance(item, int | np.integer):
            return f"token {position} is {shown(item)} ({type(item).__name__}), not an int"
        if not INT32.min <= item <= INT32.max:
            return f"token id {shown(item)} at position {position} does not fit int32"
    return f"tokens have dtype {array.dtype}, not ints"
