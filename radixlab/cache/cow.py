"""Copy-on-write: which blocks must not be written, and what is written instead.

The idea comes from PagedAttention (arXiv 2309.06180, §4.4): a fork shares every block, and a write
to a shared block copies the block first. A block of the tree is never written, even with a single
reader, because the next match may return it.
"""

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.host.transfers import PendingTransfers
from radixlab.cache.node import Receipt
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import Counts
from radixlab.cache.tree import RadixTree
from radixlab.events import BlockCopied


class CopyOnWrite:
    """Finds the blocks that must not be written, and replaces them by copies."""

    def __init__(
        self,
        tree: RadixTree,
        allocator: BlockAllocator,
        transfers: PendingTransfers,
        counts: Counts,
    ) -> None:
        self._tree = tree
        self._allocator = allocator
        self._transfers = transfers
        self._counts = counts

    def needed(self, sequence: Sequence, start: int, end: int) -> list[int]:
        """List the indices of the block table to copy before positions [start, end) are written.

        From the first written block on, these are all blocks of the tree and all blocks in another
        table: the KV after a rewritten position differs from the KV on which the others rely.

        Rules: C2, C3, C4.
        """
        if start == end:
            return []
        block_size, num_registered = self._tree.block_size, sequence.node.end
        first, last = start // block_size, -(-end // block_size)
        if first >= last or (first >= num_registered and not self._allocator.more_holders):
            return []
        registered = range(first, num_registered)
        start = max(first, num_registered)
        private = enumerate(sequence.block_table[start:].tolist(), start)
        num_tables = self._transfers.num_tables
        return [*registered, *(i for i, block in private if num_tables(block) > 1)]

    def replace(self, sequence: Sequence, indices: list[int], destinations: list[int]) -> None:
        """Replace these blocks of the table by private copies; order the copies (C2).

        A receipt protects a source that the tree owns. A private source must already carry an extra
        reference, this sequence's own, which the transfer takes over. If the sequence's lock
        covered a replaced block, the lock now ends before it.
        """
        if indices and indices[0] < sequence.node.end:
            sequence.block_table = sequence.block_table.copy()  # nodes may be views of the old one
        for index, dst in zip(indices, destinations, strict=True):
            registered = index < sequence.node.end
            receipt = self._tree.locks.lock(sequence.node) if registered else None
            self._start(sequence, index, dst, receipt)
        if indices and indices[0] < sequence.node.end:
            node = self._tree.ancestor_at(sequence.node, indices[0])
            self._tree.locks.move(sequence.receipt, node, sequence.id)

    def reuse(self, sequence: Sequence, index: int, receipt: Receipt) -> None:
        """Order a copy of the first block of the node that `receipt` holds, to table index `index`.

        The block there was just taken; the node's block agrees with its first tokens (see
        `partial.py`).
        """
        dst = int(sequence.block_table[index])
        sequence.block_table[index] = receipt.node.block_ids[0]
        self._start(sequence, index, dst, receipt)

    def _start(self, sequence: Sequence, index: int, dst: int, receipt: Receipt | None) -> None:
        # C2
        src = sequence.block_table[index : index + 1].copy()
        self._transfers.order("copy", src, np.array([dst], np.int32), receipt)
        sequence.block_table[index] = dst
        self._counts.copied_blocks += 1
        if emit := self._tree.log.emit:
            emit(
                BlockCopied(
                    *self._tree.log.stamp(),
                    site="cow.copy",
                    sequence_id=sequence.id,
                    table_index=index,
                    src=src.item(),
                    dst=dst,
                )
            )
