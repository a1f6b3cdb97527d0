"""Priority: what its owner called less important goes first.

A request says how much its prefix matters (`allocate(..., priority=2)`; 0 if it says nothing). When
it ends, the nodes on its path keep the highest priority that any request gave them. Among equals
the least recent goes first. Strict: a prefix of high priority that nobody asks for any more stays
until all below it in rank are gone, which is why engines prefer pins that expire
(`KVCacheManager.pin`).
"""

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class Priority(EvictionPolicy):
    """Lowest priority first, ties by recency; O(log n) a victim."""

    name = "priority"
    reason = "lowest priority, least recent"

    def __init__(self) -> None:
        self._leaves = LeafHeap(lambda node: (node.priority, node.tick))

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf under its priority and last use."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the unlocked leaf of the lowest priority, used least recently."""
        return self._leaves.first()
