"""Registering written blocks: how a running sequence's private blocks become everybody's.

Called by `commit` alone, once per forward pass: blocks are matchable from here on and not before.
Knows the tree, the allocator and the running sequences; not how a sequence came to its blocks.
"""

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.growth import extend
from radixlab.cache.protocols import BlockIds
from radixlab.cache.runs import to_runs
from radixlab.cache.sequence import Sequence
from radixlab.cache.tree import RadixTree
from radixlab.events import BlocksDeduplicated


class Registry:
    """Moves blocks from sequences to the tree, and keeps every block table pointing at them."""

    def __init__(
        self, tree: RadixTree, allocator: BlockAllocator, sequences: dict[int, Sequence]
    ) -> None:
        self._tree = tree
        self._allocator = allocator
        self._sequences = sequences

    def register(self, sequence: Sequence, stop: int, tick: int) -> None:
        """Give blocks `[node.end, stop)` of a sequence's table to the tree.

        What the device has already is freed, and the table re-pointed to the tree's. The lock moves
        to the node where the blocks end.
        """
        receipt = sequence.receipt
        start: int = receipt.node.end
        block_ids = sequence.block_table[start:stop]
        _, cached = extend(
            self._tree, receipt.node, sequence.tokens, block_ids, tick, receipt, sequence.id
        )
        if self._allocator.more_holders:
            self._take_forks_along(sequence, start, cached)
        if cached:
            self._use_the_trees(sequence, start, np.concatenate(cached))

    def _use_the_trees(self, sequence: Sequence, start: int, kept: BlockIds) -> None:
        """Re-point the table from index `start` to the tree's blocks; free the duplicates."""
        stop = start + len(kept)
        duplicates = sequence.block_table[start:stop].copy()
        sequence.block_table[start:stop] = kept
        if emit := self._tree.emit:
            runs = (to_runs(duplicates), to_runs(kept))
            emit(BlocksDeduplicated(*self._tree.stamp(), sequence.id, start, *runs))
        self._allocator.free(duplicates)

    def _take_forks_along(self, sequence: Sequence, start: int, cached: list[BlockIds]) -> None:
        """Blocks from `start` on that forks share with `sequence` are the tree's now.

        Each fork's table is re-pointed like the sequence's own, and its lock moves to cover them.
        """
        num_cached = sum(map(len, cached))
        for fork in list(self._sequences.values()):
            if fork is sequence or not fork.node.end <= start < len(fork.block_table):
                continue
            num = min(len(fork.block_table), sequence.node.end)
            differ = np.flatnonzero(fork.block_table[:num] != sequence.block_table[:num])
            end = int(differ[0]) if len(differ) else num
            if end <= start:
                continue
            if cached:
                self._use_the_trees(fork, start, np.concatenate(cached)[: end - start])
            self._allocator.unshare(fork.block_table[start + num_cached : end])
            node = self._tree.ancestor_at(sequence.node, end)
            self._tree.move(fork.receipt, node, fork.id)
