"""KV in torch: one layer's pools, and the store of all layers that runs the cache's transfers.

A pool is `[num_blocks, block_size, kv_heads, head_dim]`: a token's K of one head is contiguous, a
block is one slab (so a copy-on-write is one copy), and blocks with consecutive ids are one dense
matrix.
"""

from dataclasses import dataclass

from torch import Tensor

from radixlab.attention.errors import AttentionError


@dataclass(frozen=True, slots=True)
class KVPool:
    """One layer's keys and values, each `[num_blocks, block_size, kv_heads, head_dim]`."""

    k: Tensor
    v: Tensor

    @property
    def num_blocks(self) -> int:
        """Blocks in the pool."""
        return self.k.shape[0]

    @property
    def block_size(self) -> int:
        """Tokens of a block."""
        return self.k.shape[1]

    @property
    def kv_heads(self) -> int:
        """Heads of keys and values."""
        return self.k.shape[2]

    @property
    def head_dim(self) -> int:
        """Numbers of a key."""
        return self.k.shape[3]


def write_kv(pool: KVPool, k_new: Tensor, v_new: Tensor, slots: Tensor) -> None:
    """Store new keys and values `[T, kv_heads, head_dim]` at `slots` `[T]`, int64.

    Slot = block_id · block_size + offset. Raises `AttentionError` and writes nothing if a shape, a
    dtype or a slot does not fit.
    """
    shape = (len(slots), pool.kv_heads, pool.head_dim)
    for name, new in (("k_new", k_new), ("v_new", v_new)):
        if tuple(new.shape) != shape or new.dtype != pool.k.dtype:
            raise AttentionError(
                f"{name} is {list(new.shape)} {new.dtype}, the pool takes {list(shape)} "
                f"{pool.k.dtype} for {len(slots)} slots"
            )
    num_slots = pool.num_blocks * pool.block_size
    if len(slots) and not 0 <= int(slots.min()) <= int(slots.max()) < num_slots:
        low, high = int(slots.min()), int(slots.max())
        raise AttentionError(f"slots {low} to {high}: the pool has 0 to {num_slots - 1}")
    pool.k.view(num_slots, *shape[1:])[slots] = k_new
    pool.v.view(num_slots, *shape[1:])[slots] = v_new
