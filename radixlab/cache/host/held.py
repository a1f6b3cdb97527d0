"""Extra references to runs of blocks, which transfers and load-backs take and give back.

The same as `share` and `free` of the allocator, for callers who know that somebody holds the
blocks: they name different blocks, dozens at a time, and no check is needed.
"""

from itertools import repeat

import numpy as np

from radixlab.cache.allocator import BlockAllocator


def add_references(allocator: BlockAllocator, blocks: list[int]) -> None:
    """Add a reference to each of these blocks.

    >>> pool = BlockAllocator(4)
    >>> _ = pool.allocate(2)
    >>> add_references(pool, [0, 1]); pool.ref_count(1)
    2
    """
    holders, first = allocator.more_holders, dict.fromkeys(blocks, 1)
    if holders.keys().isdisjoint(first):
        holders |= first
        return
    for block in blocks:
        holders[block] = holders.get(block, 0) + 1


def drop_references(allocator: BlockAllocator, blocks: list[int]) -> None:
    """Remove a reference from each of these blocks; one without another becomes free."""
    extra = list(map(allocator.more_holders.pop, blocks, repeat(0)))
    if max(extra, default=0) > 1:
        pairs = zip(blocks, extra, strict=True)
        allocator.more_holders |= {block: num - 1 for block, num in pairs if num > 1}
    if not all(extra):
        pairs = zip(blocks, extra, strict=True)
        allocator.free(np.array([block for block, num in pairs if not num], np.int32))
