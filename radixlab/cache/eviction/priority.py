"""Priority: the leaf with the lowest priority is evicted first.

A request states the priority of its prefix (`allocate(..., priority=2)`; by default 0). When the
request ends, the nodes on its path keep the highest priority that any request gave them. Among
equals the least recent leaf is evicted first. The order is strict: an unused prefix of high
priority stays until all leaves of lower priority are gone. This is why engines prefer pins that
expire (`KVCacheManager.pin`).
"""

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class Priority(EvictionPolicy):
    """Lowest priority first, ties by recency; O(log n) per victim."""

    name = "priority"
    reason = "lowest priority, least recent"

    def __init__(self) -> None:
        self._leaves = LeafHeap(lambda node: (node.priority, node.tick))

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf by its priority and last use."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the unlocked leaf of the lowest priority, used least recently."""
        return self._leaves.first()
