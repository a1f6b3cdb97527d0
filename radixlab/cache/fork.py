"""Fork: how a second sequence starts from a running one, without a copy.

The idea is PagedAttention's (arXiv 2309.06180, §4.4). The child has the same blocks: those of the
tree through a lock of its own, the private ones through an extra reference. The first write to a
block that both have copies it (`cow.py`).
"""

from radixlab.cache.admission import Admission
from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.sequence import Sequence
from radixlab.cache.tree import RadixTree
from radixlab.events import SequenceForked


class Fork:
    """Starts sequences from running ones."""

    def __init__(
        self,
        tree: RadixTree,
        allocator: BlockAllocator,
        sequences: dict[int, Sequence],
        admission: Admission,
    ) -> None:
        self._tree = tree
        self._allocator = allocator
        self._sequences = sequences
        self._admission = admission

    def start(self, sequence: Sequence, num_tokens: int) -> Sequence:
        """Start a sequence from the first `num_tokens` tokens of this one, at least 1 (C1)."""
        num_blocks = -(-num_tokens // self._tree.block_size)
        prefix = sequence.tokens.prefix(num_tokens)
        child = Sequence(self._admission.next_id, prefix, sequence.namespace)
        self._admission.next_id += 1
        if emit := self._tree.log.emit:
            emit(
                SequenceForked(
                    *self._tree.log.stamp(),
                    site="fork.start",
                    sequence_id=child.id,
                    parent_id=sequence.id,
                    num_tokens=num_tokens,
                )
            )
        node = self._tree.ancestor_at(sequence.node, min(num_blocks, sequence.node.end))
        child.receipt = self._tree.locks.lock(node, child.id)
        child.priority = sequence.priority
        child.block_table = sequence.block_table[:num_blocks].copy()
        self._allocator.share(child.block_table[node.end :])
        child.running = self._sequences
        child.running[child.id] = child
        return child
