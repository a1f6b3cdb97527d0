"""The end of a sequence, however it ends: released, aborted or preempted.

    stamp the prefix ─► unlock it, so that it stays cached and can be evicted ─► free the private
    blocks

A block must be freed exactly once, in whatever state its request is. So there is one way out, and
whoever comes a second time is refused.
"""

from threading import get_ident
from typing import Any

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.errors import SequenceError
from radixlab.cache.node import Node
from radixlab.cache.owner import Owner
from radixlab.cache.runs import to_runs
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import Counts
from radixlab.cache.tree import RadixTree
from radixlab.events import BlocksFreed, FinishReason, RequestFinished, RequestPreempted


class Ending:
    """Ends sequences."""

    def __init__(
        self,
        tree: RadixTree,
        allocator: BlockAllocator,
        counts: Counts,
        sequences: dict[int, Sequence],
        owner: Owner,
    ) -> None:
        self._tree = tree
        self._allocator = allocator
        self._counts = counts
        self._sequences = sequences
        self._owner = owner

    def finish(self, sequence: Sequence | Any, reason: FinishReason) -> None:
        """End a sequence; raise `SequenceError` unless it runs here.

        Rules: L8, L9, E3.
        """
        if get_ident() != self._owner.thread:
            self._owner.check()
        if type(sequence) is not Sequence or sequence.running is not self._sequences:
            raise self._owner.not_running(sequence)
        tree, counts, receipt = self._tree, self._counts, sequence.receipt
        node: Node = receipt.node
        if receipt.released:
            raise SequenceError(f"sequence {sequence.id}: its lock was released from outside")
        emit = tree.log.emit
        if emit and reason == "preempted":
            emit(
                RequestPreempted(*tree.log.stamp(), site="ending.preempt", sequence_id=sequence.id)
            )
        del self._sequences[sequence.id]
        sequence.running = None
        counts.tick += 1
        tree.touch(node, counts.tick)
        if sequence.priority:
            for above in node.path():
                above.priority = max(above.priority, sequence.priority)
        if emit:
            emit(
                RequestFinished(
                    *tree.log.stamp(),
                    site="ending.finish",
                    sequence_id=sequence.id,
                    reason=reason,
                    tick=counts.tick,
                )
            )
        private = sequence.block_table[node.end :]
        tree.locks.unlock(receipt, sequence.id)
        if len(private):
            freed = self._allocator.free(private)
            if emit:
                emit(
                    BlocksFreed(
                        *tree.log.stamp(),
                        site="ending.free_private",
                        sequence_id=sequence.id,
                        block_runs=to_runs(freed),
                    )
                )
