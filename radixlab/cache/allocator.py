"""The pool of blocks: which of them are free.

This file knows block ids and counts of references. It does not know what is in a block, or who asks
for it.
"""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy import ndarray

from radixlab.cache.checks import as_block_ids, check_count
from radixlab.cache.errors import BlockError, DoubleFreeError, OutOfBlocksError
from radixlab.cache.results import BlockIds
from radixlab.cache.tokens import INT32_DTYPE
from radixlab.config import MAX_BLOCKS, ConfigError, Count, positive, shown


class BlockAllocator:
    """A fixed pool of block ids; the free ids are a stack whose top is handed out next.

    The free blocks are a *sparse set* (Briggs and Torczon, 1993): a dense array of ids and, for
    each block, the index at which it was last stored there. A block is free if that index lies in
    the stack and still holds the block. So allocating touches no per-block state. Freeing checks a
    whole array of ids, for blocks that are free already or named twice, with a few vector
    operations.

    The free ids are the last `num_free` entries of `_stack`, int32 `[num_blocks]`, the next one
    first; the other entries are unused.

    >>> pool = BlockAllocator(4)
    >>> pool.allocate(3)
    array([0, 1, 2], dtype=int32)
    >>> pool.free(np.array([1], np.int32)); pool.num_free
    array([1], dtype=int32)
    2
    """

    def __init__(self, num_blocks: Count) -> None:
        self.num_blocks = positive("num_blocks", num_blocks, MAX_BLOCKS)
        try:
            self._places = np.arange(self.num_blocks, dtype=np.int32)
            self.reset()
        except MemoryError:
            raise ConfigError(f"no memory to manage num_blocks = {self.num_blocks}") from None

    def reset(self) -> None:
        """Make every block free; the lowest id is handed out first."""
        self._stack = self._places.copy()
        self._place = self._places.copy()
        # The same memory: for a few blocks, a `memoryview` is faster than NumPy.
        self._stack_at: memoryview[int] = memoryview(self._stack)  # type: ignore[arg-type]  # a buffer
        self._place_at: memoryview[int] = memoryview(self._place)  # type: ignore[arg-type]  # a buffer
        self.num_free = self.num_blocks
        """The number of free blocks; the stack begins so many entries before the end."""
        self.more_holders: dict[int, int] = {}
        """Extra references (beyond the first), by block id; blocks without any are absent."""

    def allocate(self, num_blocks: Count) -> BlockIds:
        """Take `num_blocks` free blocks; return their ids, int32 `[num_blocks]`.

        Raises `OutOfBlocksError` if fewer are free; then none is taken (L7).
        """
        num_blocks = check_count("num_blocks", num_blocks)
        if not 0 <= num_blocks <= self.num_free:
            raise OutOfBlocksError(
                f"{shown(num_blocks)} blocks asked for, "
                f"{self.num_free} of {self.num_blocks} are free"
            )
        return np.array(self.pop(num_blocks), np.int32)

    def pop(self, num_blocks: int) -> "memoryview[int]":
        """Do the same as `allocate` for callers who know that so many are free.

        The ids, int32, are memory of the stack, which is valid until the next call.
        """
        first = self.num_blocks - self.num_free
        self.num_free -= num_blocks
        return self._stack_at[first : first + num_blocks]

    def share(self, block_ids: BlockIds | Any) -> None:
        """Add a reference to each block (C1).

        Raises `BlockError`, and changes nothing, if one of them is free.
        """
        blocks = _int32(block_ids).tolist()
        for block in blocks:
            if not 0 <= block < self.num_blocks or self.is_free(block):
                raise BlockError(f"block {block} cannot be shared: nobody holds it")
        for block in blocks:
            self.more_holders[block] = self.more_holders.get(block, 0) + 1

    def unshare(self, block_ids: BlockIds | Any) -> None:
        """Remove an extra reference from each block; none of them becomes free.

        Raises `BlockError`, and changes nothing, if one of them has too few extra references.
        """
        blocks = _int32(block_ids).tolist()
        for block, num in Counter(blocks).items():
            if self.more_holders.get(block, 0) < num:
                extra = self.more_holders.get(block, 0)
                raise BlockError(f"block {block} has {extra} extra references: cannot take {num}")
        for block in blocks:
            self._unshare_one(block)

    def free(self, block_ids: BlockIds | Any) -> BlockIds:
        """Remove a reference from each block; return the blocks that this made free (L10, C6, H7).

        Raises `DoubleFreeError` if a block is free already or named twice, and `BlockError` if it
        is outside the pool; then nothing has changed.
        """
        if (
            type(block_ids) is not ndarray
            or block_ids.dtype is not INT32_DTYPE
            or block_ids.ndim != 1
        ):
            block_ids = as_block_ids(block_ids)
        if len(block_ids) != 1:
            return self._free_several(block_ids)
        # Mostly it is one: the last block of a request, which is not full.
        block: int = block_ids.item()
        if not 0 <= block < self.num_blocks:
            raise self._bad_free(block_ids)
        first, place = self.num_blocks - self.num_free, self._place_at[block]
        if place >= first and self._stack_at[place] == block:  # it is free
            raise self._bad_free(block_ids)
        if block in self.more_holders:
            return self._free_unshared(block_ids)
        self.num_free += 1
        self._stack_at[first - 1] = block
        self._place_at[block] = first - 1
        return block_ids

    def is_free(self, block_id: Count) -> bool:
        """Whether the block is free; raise `BlockError` if it is outside the pool."""
        if type(block_id) is not int:
            block_id = check_count("block_id", block_id)
        if not 0 <= block_id < self.num_blocks:
            raise self._no_block(block_id)
        place = self._place_at[block_id]
        return place >= self.num_blocks - self.num_free and self._stack_at[place] == block_id

    def ref_count(self, block_id: Count) -> int:
        """Return the number of references to the block; the tree holds at most one."""
        block_id = check_count("block_id", block_id)
        return 0 if self.is_free(block_id) else 1 + self.more_holders.get(block_id, 0)

    def free_ids(self) -> BlockIds:
        """List the free block ids, int32 `[num_free]`, in the order of allocation."""
        return self._stack[self.num_blocks - self.num_free :].copy()

    def _push(self, block_ids: BlockIds) -> bool:
        """Push blocks on the stack; return False, and do nothing, if one of them must not be freed.

        The stored index of a block that is not free is meaningless. So it suffices to write the new
        indices and check whether one was overwritten: that block was named twice, or was free
        before. If there are many free blocks and few new ones, the new blocks are looked up among
        the free ones instead.

        Rules: L10.
        """
        index = block_ids.view(np.uint32).astype(np.intp)  # a negative id becomes a huge one
        old = self.num_blocks - self.num_free
        new = old - len(index)
        free, many_free = self._stack[old:], self.num_free > len(index)
        try:
            if new < 0 or (many_free and self._any_free(index)):
                return False
            self._place[index] = self._places[new:old]
        except IndexError:
            return False
        if self._keep_places(index, new) and (many_free or self._keep_places(free, old)):
            self._stack[new:old] = block_ids
            self.num_free += len(block_ids)
            return True
        self._place[free] = self._places[old:]
        return False

    def _keep_places(self, blocks: npt.NDArray[np.integer], first: int) -> bool:
        """Whether `blocks` are still stored at the indices from `first` on."""
        places = self._places[first : first + len(blocks)]
        return bool(self._place[blocks].tobytes() == places.tobytes())

    def _any_free(self, index: npt.NDArray[np.intp]) -> bool:
        place = self._place[index]
        in_stack = place >= self.num_blocks - self.num_free
        return bool((in_stack & (self._stack[place] == index)).any())

    def _free_several(self, block_ids: BlockIds) -> BlockIds:
        """Do the same as `free` for none or many blocks."""
        if not self._push(block_ids):
            raise self._bad_free(block_ids)
        if self.more_holders and not self.more_holders.keys().isdisjoint(block_ids.tolist()):
            self.num_free -= len(block_ids)  # the caller wanted only the check
            return self._free_unshared(block_ids)
        return block_ids

    def _free_unshared(self, block_ids: BlockIds) -> BlockIds:
        """Remove an extra reference from each block that has one, and free the others."""
        alone = []
        for block in block_ids.tolist():
            if block in self.more_holders:
                self._unshare_one(block)
            else:
                alone.append(block)
        freed = np.array(alone, np.int32)
        if alone:
            self._push(freed)
        return freed

    def _unshare_one(self, block: int) -> None:
        if self.more_holders[block] == 1:
            del self.more_holders[block]
        else:
            self.more_holders[block] -= 1

    def _bad_free(self, block_ids: BlockIds) -> BlockError:
        """Raise the error for the first block that cannot be freed."""
        seen: set[int] = set()
        for block in block_ids.tolist():
            if not 0 <= block < self.num_blocks:
                return self._no_block(block)
            if self.is_free(block):
                why = f"it is free already ({self.num_free} of {self.num_blocks} are)"
                return DoubleFreeError(f"block {block} freed twice: {why}")
            if block in seen:
                return DoubleFreeError(f"block {block} freed twice: it is named twice in one call")
            seen.add(block)
        raise AssertionError("free() rejected blocks that are held")

    def _no_block(self, block_id: int) -> BlockError:
        return BlockError(f"block {shown(block_id)} is not in the pool of {self.num_blocks}")


def _int32(block_ids: BlockIds | Any) -> BlockIds:
    """Return an int32 array unchanged; convert anything else with `as_block_ids`."""
    if type(block_ids) is ndarray and block_ids.dtype is INT32_DTYPE and block_ids.ndim == 1:
        return block_ids
    return as_block_ids(block_ids)
