"""Copy-on-write: which blocks must not be written, and the copies that are under way.

The idea is PagedAttention's (arXiv 2309.06180, §4.4): a fork shares every block; whoever writes to
a shared one copies it first. A block of the tree is never written at all, even with one reader,
because the next match may hand it out.

A copy is only *ordered* here. Until `complete` says its bytes have arrived, both ends are held: the
source so that it is not reused before it was read, the destination so that it is not given away
while bytes are arriving.
"""

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.errors import TransferError
from radixlab.cache.node import Node
from radixlab.cache.protocols import BlockIds, Receipt, Transfer
from radixlab.cache.sequence import Sequence
from radixlab.cache.tree import RadixTree
from radixlab.events import BlockCopied


def blocks_to_copy(
    sequence: Sequence, allocator: BlockAllocator, start: int, end: int, block_size: int
) -> list[int]:
    """List the indices of the block table to copy before positions [start, end) are written.

    From the first block written to on, that is every block of the tree's and every block that
    another table holds too: the KV after a rewritten position is not the KV the others rely on.
    """
    first, last, num_registered = start // block_size, -(-end // block_size), sequence.node.end
    if first >= last or (first >= num_registered and not allocator.more_holders):
        return []
    registered = range(first, num_registered)
    private = range(max(first, num_registered), len(sequence.block_table))
    shared = (i for i in private if int(sequence.block_table[i]) in allocator.more_holders)
    return [*registered, *shared]


class PendingCopies:
    """The copies ordered and not yet completed."""

    def __init__(self, tree: RadixTree, allocator: BlockAllocator) -> None:
        self._tree = tree
        self._allocator = allocator
        self._holds: dict[Transfer, Receipt | None] = {}
        """Each copy, with the receipt that protects a source owned by the tree."""
        self.num_copied = 0
        """Copies ordered so far."""

    def __len__(self) -> int:
        return len(self._holds)

    @property
    def transfers(self) -> list[Transfer]:
        """The pending copies, oldest first."""
        return list(self._holds)

    def locked_nodes(self) -> list[Node]:
        """List the nodes that hold a source, one entry per receipt."""
        return [receipt.node for receipt in self._holds.values() if receipt]

    def replace(
        self, sequence: Sequence, indices: list[int], destinations: list[int]
    ) -> list[Transfer]:
        """Put private copies into these places of the block table; order the copies.

        A source of the tree is protected by a receipt. A private one was shared: the share that
        this sequence gives up passes to the copy. A lock that covered a replaced block ends before
        it from now on.
        """
        copies = []
        for index, dst in zip(indices, destinations, strict=True):
            registered = index < sequence.node.end
            receipt = self._tree.lock(sequence.node) if registered else None
            copies.append(self._start(sequence, index, dst, receipt))
        if indices and indices[0] < sequence.node.end:
            node = self._tree.ancestor_at(sequence.node, indices[0])
            self._tree.move(sequence.receipt, node, sequence.id)
        return copies

    def reuse(self, sequence: Sequence, index: int, receipt: Receipt) -> Transfer:
        """Order a copy of the first block of the node that `receipt` holds, into place `index`.

        For a block just taken, part of whose tokens the node's block has (see `partial.py`).
        """
        dst = int(sequence.block_table[index])
        sequence.block_table[index] = receipt.node.block_ids[0]
        return self._start(sequence, index, dst, receipt)

    def _start(self, sequence: Sequence, index: int, dst: int, receipt: Receipt | None) -> Transfer:
        copy = Transfer(int(sequence.block_table[index]), dst, "copy")
        self._holds[copy] = receipt
        self._allocator.share(np.array([dst], np.int32))
        sequence.block_table[index] = dst
        self.num_copied += 1
        if emit := self._tree.emit:
            emit(BlockCopied(*self._tree.stamp(), sequence.id, index, copy.src, dst))
        return copy

    def complete(self, copies: list[Transfer]) -> None:
        """Let both ends go; raise `TransferError`, and change nothing, if one is not pending."""
        known = set(copies) & self._holds.keys()
        for copy in copies:
            if copy not in known or len(known) < len(copies):
                raise TransferError(
                    f"copy of block {copy.src} to {copy.dst} is not pending: completed before?"
                )
        for copy in copies:
            receipt = self._holds.pop(copy)
            if receipt is None:
                self._allocator.free(np.array([copy.src], np.int32))
            else:
                self._tree.unlock(receipt)
            self._allocator.free(np.array([copy.dst], np.int32))

    def refuse(self, block_ids: BlockIds) -> None:
        """Raise `TransferError` if one of the blocks is an end of a pending copy."""
        for copy in self._holds:
            if copy.src in block_ids or copy.dst in block_ids:
                raise TransferError(
                    f"block {copy.src} is still being copied to {copy.dst}: call complete() first"
                )
