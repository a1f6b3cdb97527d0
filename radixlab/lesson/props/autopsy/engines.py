"""Eight parts of the engine, each with one mistake that real engines have made.

Each is a subclass with no fields of its own, so that it can take the place of the part it breaks.
Do not read on before you have convicted them in lesson 03.
"""

from radixlab.cache import KVCacheManager, RadixTree, Receipt, Sequence
from radixlab.cache.commit import Commit
from radixlab.cache.node import Node
from radixlab.cache.results import BlockIds
from radixlab.events import Namespace


class LeakyManager(KVCacheManager):
    """Gives back a finished request's whole blocks, and forgets the half-filled last one."""

    def release(self, sequence: Sequence) -> None:
        """Finish, and free what is not in the tree."""
        num_whole = sequence.num_tokens // self.config.block_size
        sequence.block_table = sequence.block_table[:num_whole]
        super().release(sequence)


class ForgetfulCommit(Commit):
    """Frees duplicates; the block table that named them goes on naming them."""

    def _use_the_trees(self, sequence: Sequence, start: int, kept: BlockIds) -> None:
        self._allocator.free(sequence.block_table[start : start + len(kept)])


class HalfLockedTree(RadixTree):
    """Splits a locked node and leaves the lock with the upper half alone."""

    def split(self, lower: Node, num_blocks: int) -> Node:
        """Cut a node in two."""
        upper = super().split(lower, num_blocks)
        upper.num_receipts, lower.num_receipts = lower.num_receipts, 0
        if upper.num_receipts and not lower.locked:
            upper.num_locked_children = 0
            self.locks.num_evictable_blocks += lower.num_blocks
            self.locks.expose(lower)
        return upper


class StaleTree(RadixTree):
    """Gives an evicted node's blocks away, but its parent still has it, and nothing marks it."""

    def _remove(self, node: Node) -> None:
        super()._remove(node)
        if node.parent:
            node.parent.children[bytes(node.edge[: self.block_bytes])] = node
            node.alive = node.evictable = True


class LateCancelManager(KVCacheManager):
    """Frees the blocks of whoever is cancelled, also if they finished long ago."""

    def abort(self, sequence: Sequence) -> None:
        """Give up a request in any state."""
        if sequence.id in self.sequences:
            super().abort(sequence)
        else:
            self.allocator.free(sequence.block_table[sequence.node.end :])


class UncountedForkManager(KVCacheManager):
    """Starts a fork without counting it as a holder of the private blocks it shares."""

    def fork(self, sequence: Sequence, num_tokens: int | None = None) -> Sequence:
        """Start a second sequence from the same tokens."""
        child = super().fork(sequence, num_tokens)
        self.allocator.unshare(child.block_table[child.node.end :])
        return child


class EarlyUnlockManager(KVCacheManager):
    """Unlocks a prompt's blocks as soon as they are written: 'they are safe in the tree now'."""

    def commit(self, sequence: Sequence, num_written: int, max_tokens: int | None = None) -> None:
        """Register what is written."""
        super().commit(sequence, num_written, max_tokens)
        self.tree.unlock(Receipt(sequence.node))

    def release(self, sequence: Sequence) -> None:
        """Lock again, and finish."""
        self.tree.lock(sequence.node)  # there must be something to unlock
        super().release(sequence)


class NameKeyedTree(RadixTree):
    """Files a namespace under its name, and drops what kind of thing has that name."""

    def _root(self, namespace: Namespace | None) -> Node:
        key = ("name", namespace[1]) if namespace else None
        return super()._root(key)
