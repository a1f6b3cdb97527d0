"""Commit: how a running sequence's written blocks become everybody's.

    look for what the tree has already ─► use the tree's blocks for it ─► store the rest ─► move
    the lock to where they end

Called once per forward pass, for blocks whose KV is in the pool: they are matchable from here on
and not before (T1). Two requests that computed the same tokens meet here. The first one's blocks
stay; the second one's are freed, and its block table is re-pointed in the same step (M10).
"""

from collections.abc import Callable

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.node import Node
from radixlab.cache.results import BlockIds
from radixlab.cache.runs import to_runs
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import Counts
from radixlab.cache.tokens import Tokens
from radixlab.cache.tree import RadixTree
from radixlab.events import BlocksDeduplicated

ReplaceHostCopy = Callable[[Node, Tokens, BlockIds, int], None]
"""Lets a node of the host be on the device in these blocks of a sequence; the host's are freed."""


class Commit:
    """Moves blocks from sequences to the tree, and keeps every block table pointing at them."""

    def __init__(
        self,
        tree: RadixTree,
        allocator: BlockAllocator,
        counts: Counts,
        sequences: dict[int, Sequence],
        replace_host_copy: ReplaceHostCopy | None = None,
    ) -> None:
        self._tree = tree
        self._allocator = allocator
        self._counts = counts
        self._sequences = sequences
        self._replace_host_copy = replace_host_copy

    def register(self, sequence: Sequence, stop: int) -> None:
        """Give blocks `[node.end, stop)` of a sequence's table to the tree."""
        tree, tokens = self._tree, sequence.tokens
        node: Node = sequence.receipt.node
        start = node.end
        cached: list[BlockIds] = []
        key = None
        # A leaf that nobody else has locked grows in place; else the rest becomes a new leaf.
        if node.children or node.num_receipts > 1 or node.parent is None:
            key = tree.key_after(node, tokens)
            if key in node.children:
                node, cached = self._meet(sequence, node, stop)
                key = tree.key_after(node, tokens)
        if node.end < stop:
            table = sequence.block_table
            new = table[node.end : stop]
            if 2 * (stop - node.end) < len(table):
                new = new.copy()  # a view would keep all of the table in memory
            leaf = tree.store(node, tokens, new, self._counts.tick, sequence.id, key)
            if leaf is not node:
                tree.locks.move_down(sequence.receipt, leaf, sequence.id)
        # Others whose tables had these blocks follow.
        if self._allocator.more_holders:
            self._take_forks_along(sequence, start, cached)
        if cached:
            self._use_the_trees(sequence, start, np.concatenate(cached))

    def _meet(self, sequence: Sequence, node: Node, stop: int) -> tuple[Node, list[BlockIds]]:
        """Let the lock cover what the tree has already of blocks up to `stop`.

        Returns the node where that ends, and the device's ids of it. What only the host has is
        replaced by the sequence's own blocks: nothing needs to be copied back.
        """
        tree, start = self._tree, node.end
        match = tree.find(sequence.tokens, stop, sequence.namespace, node)
        here, end = match.on_device(), tree.cut(match)
        if self._replace_host_copy:
            for below in reversed(end.path()):
                if not below.resident:
                    mine = sequence.block_table[below.end - below.num_blocks : below.end]
                    self._replace_host_copy(below, sequence.tokens, mine, sequence.id)
        tree.locks.move(sequence.receipt, end, sequence.id)
        return end, here.runs if here.num_blocks > start else []

    def _use_the_trees(self, sequence: Sequence, start: int, kept: BlockIds) -> None:
        """Re-point the table from index `start` to the tree's blocks; free the duplicates (M10)."""
        stop = start + len(kept)
        duplicates = sequence.block_table[start:stop].copy()
        sequence.block_table[start:stop] = kept
        if emit := self._tree.log.emit:
            emit(
                BlocksDeduplicated(
                    *self._tree.log.stamp(),
                    site="commit.use_the_trees",
                    sequence_id=sequence.id,
                    start_block=start,
                    freed_runs=to_runs(duplicates),
                    kept_runs=to_runs(kept),
                )
            )
        self._allocator.free(duplicates)

    def _take_forks_along(self, sequence: Sequence, start: int, cached: list[BlockIds]) -> None:
        """Update the forks that share blocks from `start` on with `sequence`.

        The tree owns these blocks now. Each fork's table changes like the sequence's own, and its
        lock moves to cover them.
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
            self._tree.locks.move(fork.receipt, node, fork.id)
