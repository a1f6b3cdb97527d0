"""One layer's KV in torch: a pool of keys, a pool of values, and checked slots in them.

A pool is `[num_blocks, block_size, kv_heads, head_dim]`. The key of one token and head is
contiguous. A block is one slab, so a copy-on-write is one copy. Blocks with consecutive ids are one
dense matrix.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from radixlab.attention.errors import AttentionError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KVPool:
    """One layer's keys and values, each `[num_blocks, block_size, kv_heads, head_dim]`."""

    k: Tensor
    v: Tensor
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, what: Hashable, make: Callable[[], T]) -> T:
        """Return the result of `make`, which runs once for this pool, not in every call."""
        if what not in self._made:
            self._made[what] = make()
        thing: T = self._made[what]
        return thing

    @property
    def num_blocks(self) -> int:
        """The number of blocks."""
        return int(self.k.shape[0])

    @property
    def block_size(self) -> int:
        """Tokens per block."""
        return int(self.k.shape[1])

    @property
    def kv_heads(self) -> int:
        """The number of KV heads."""
        return int(self.k.shape[2])

    @property
    def head_dim(self) -> int:
        """Numbers in one key or value."""
        return int(self.k.shape[3])

    def detached(self) -> "KVPool":
        """Return the same memory without gradients."""
        if not (self.k.requires_grad or self.v.requires_grad):
            return self
        return KVPool(self.k.detach(), self.v.detach())


@dataclass(frozen=True, slots=True)
class Slots:
    """Where a step's new tokens go: `place_slots` checks them once for all layers."""

    index: Tensor
    """int64 `[T]`, on the pool's device: block_id · block_size + offset."""
    num_slots: int
    """Slots of the pool that they were checked for."""


def place_slots(pool: KVPool, slots: npt.ArrayLike) -> Slots:
    """Check slots `[T]` on the host and copy them to the pool's device, once for all layers.

    Raises `AttentionError` for a slot that the pool does not have.

    >>> pool = KVPool(torch.zeros(2, 4, 1, 8), torch.zeros(2, 4, 1, 8))
    >>> place_slots(pool, [8])
    Traceback (most recent call last):
    ...
    radixlab.attention.errors.AttentionError: slot 8: the pool has 0 to 7
    """
    num_slots = pool.num_blocks * pool.block_size
    try:
        array = np.asarray(slots)
    except Exception as error:  # libraries differ, for a tensor on a GPU or a ragged list
        reason = str(error).splitlines()[0]
        raise AttentionError(f"slots cannot be read as an array: {reason}") from None
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise AttentionError(f"slots are {array.dtype} {list(array.shape)}: they must be ints [T]")
    for slot in array[(array < 0) | (array >= num_slots)].tolist():
        raise AttentionError(f"slot {slot}: the pool has 0 to {num_slots - 1}")
    index = torch.from_numpy(array.astype(np.int64))
    return Slots(index.to(pool.k.device, non_blocking=True), num_slots)
