"""FIFO: the leaf that was stored first is evicted first, no matter how often it was used since.

It is the cheapest order, because a hit changes nothing. On traces in which every request leaves a
new leaf and nothing is used twice, its hit rate equals LRU's. So FIFO can pass a test of "LRU" that
looks only at hit rates.
"""

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class FIFO(EvictionPolicy):
    """First in, first out; O(log n) per victim."""

    name = "fifo"
    reason = "stored first"

    def __init__(self) -> None:
        self._births: dict[int, int] = {}
        """When each node was stored, by its id."""
        self._num_born = 0
        self._leaves = LeafHeap(lambda node: self._births[node.id])

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Record when the node was stored."""
        self._births[node.id] = self._num_born
        self._num_born += 1

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Give both halves the age of the node: a split does not make them younger."""
        self._births[upper.id] = self._births[lower.id]

    def on_remove(self, node: PolicyNode) -> None:
        """Forget the node."""
        del self._births[node.id]

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf by its time of storage."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the unlocked leaf that was stored first."""
        return self._leaves.first()
