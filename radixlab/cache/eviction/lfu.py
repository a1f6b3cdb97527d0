"""LFU with ageing: the leaf with the fewest hits is evicted first, and old hits lose weight.

Plain LFU keeps formerly popular nodes without end. Here a node's priority is its hits *plus the age
of the cache* at its last hit, and the age is the priority of the last victim. So a node that is no
longer used is overtaken. (LFU with dynamic ageing; Arlitt, Cherkasova et al., 1999.)

Good at scans, since a leaf that was never hit goes before one that was. Bad at chat, where the
newest conversation, not yet hit, is the one that comes back.
"""

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class LFU(EvictionPolicy):
    """Least frequently used first, ties by recency; O(log n) a victim."""

    name = "lfu"
    reason = "fewest hits"

    def __init__(self) -> None:
        self._age = 0
        self._priority: dict[int, int] = {}
        self._leaves = LeafHeap(lambda node: (self._priority[node.id], node.tick))

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Start at the age of the cache."""
        self._priority[node.id] = self._age + node.num_hits

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Raise the priority to the hits plus the current age."""
        self._priority[node.id] = self._age + node.num_hits

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Give both halves the priority of the whole."""
        self._priority[upper.id] = self._priority[lower.id]

    def on_remove(self, node: PolicyNode) -> None:
        """Raise the age of the cache to the priority of the evicted node."""
        self._age = max(self._age, self._priority.pop(node.id))

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf by its priority."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the unlocked leaf of the lowest priority."""
        return self._leaves.first()
