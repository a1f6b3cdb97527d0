"""FIFO: the leaf that was stored first goes first, however often it was used since.

The cheapest order there is, since a hit changes nothing. On traces where every request leaves a
fresh leaf behind and nothing is used twice, its hit rate equals LRU's: a test of "LRU" that only
looks at hit rates can be passed by FIFO.
"""

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class FIFO(EvictionPolicy):
    """First in, first out; O(log n) a victim."""

    name = "fifo"
    reason = "stored first"

    def __init__(self) -> None:
        self._births: dict[int, int] = {}
        """When each node was stored, by its id."""
        self._num_born = 0
        self._leaves = LeafHeap(lambda node: self._births[node.id])

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Note the birth."""
        self._births[node.id] = self._num_born
        self._num_born += 1

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Give both halves the age of the whole: a cut makes nothing young."""
        self._births[upper.id] = self._births[lower.id]

    def on_remove(self, node: PolicyNode) -> None:
        """Forget the node."""
        del self._births[node.id]

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf under its birth."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the unlocked leaf that was stored first."""
        return self._leaves.first()
