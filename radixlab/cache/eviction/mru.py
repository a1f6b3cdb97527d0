"""MRU: the most recently used leaf is evicted first.

It is absurd for chats, and right for a loop larger than the pool: if k + 1 documents are read in
turn with room for k, LRU never keeps the next one, and MRU keeps nearly all. (Chou and DeWitt,
VLDB 1985, on the access patterns of relational joins.)
"""

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class MRU(EvictionPolicy):
    """Most recently used first; O(log n) per victim."""

    name = "mru"
    reason = "most recent"

    def __init__(self) -> None:
        self._leaves = LeafHeap(lambda node: -node.tick)

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf by its last use, the latest first."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the most recently used unlocked leaf."""
        return self._leaves.first()
