"""Copy-on-write: which blocks must not be written, and what is written instead.

The idea is PagedAttention's (arXiv 2309.06180, §4.4): a fork shares every block; whoever writes to
a shared one copies it first. A block of the tree is never written at all, even with one reader,
because the next match may hand it out.
"""

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.node import Receipt
from radixlab.cache.results import Transfer
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import Counts
from radixlab.cache.transfers import PendingTransfers
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

        From the first block written to on, that is every block of the tree's and every block that
        another table holds too: the KV after a rewritten position is not the KV the others rely on.
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
        """Put private copies into these places of the block table; order the copies.

        A source of the tree is protected by a receipt. A private one was shared: the share that
        this sequence gives up passes to the copy. A lock that covered a replaced block ends before
        it from now on.
        """
        for index, dst in zip(indices, destinations, strict=True):
            registered = index < sequence.node.end
            receipt = self._tree.locks.lock(sequence.node) if registered else None
            self._start(sequence, index, dst, receipt)
        if indices and indices[0] < sequence.node.end:
            node = self._tree.ancestor_at(sequence.node, indices[0])
            self._tree.locks.move(sequence.receipt, node, sequence.id)

    def reuse(self, sequence: Sequence, index: int, receipt: Receipt) -> None:
        """Order a copy of the first block of the node that `receipt` holds, into place `index`.

        For a block just taken, part of whose tokens the node's block has (see `partial.py`).
        """
        dst = int(sequence.block_table[index])
        sequence.block_table[index] = receipt.node.block_ids[0]
        self._start(sequence, index, dst, receipt)

    def _start(self, sequence: Sequence, index: int, dst: int, receipt: Receipt | None) -> None:
        copy = Transfer(int(sequence.block_table[index]), dst, "copy")
        self._transfers.order([copy], receipt)
        sequence.block_table[index] = dst
        self._counts.copied_blocks += 1
        if emit := self._tree.log.emit:
            emit(
                BlockCopied(
                    *self._tree.log.stamp(),
                    site="cow.copy",
                    sequence_id=sequence.id,
                    table_index=index,
                    src=copy.src,
                    dst=dst,
                )
            )
