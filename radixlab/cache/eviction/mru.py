"""MRU: the leaf used last goes first.

Absurd for chat, and right for a loop that is larger than the pool: of k + 1 documents read in turn
with room for k, LRU keeps none that is asked for next, MRU keeps nearly all. (Chou and DeWitt,
VLDB 1985, on the access patterns of relational joins.)
"""

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class MRU(EvictionPolicy):
    """Most recently used first; O(log n) a victim."""

    name = "mru"
    reason = "most recent"

    def __init__(self) -> None:
        self._leaves = LeafHeap(lambda node: -node.tick)

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf under its last use, the latest in front."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the most recently used unlocked leaf."""
        return self._leaves.first()
