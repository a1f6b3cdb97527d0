"""LRU: the leaf that nobody has used for longest goes first.

The idea is RadixAttention's (arXiv 2312.07104, §3): only leaves go, so a cached block's prefix is
always cached, and a parent becomes a candidate when its last child is gone. Because the manager
trims the *tail* of the victim, block by block, leaf-LRU equals exact LRU over single blocks.

Good where what was used lately is used again (chat). Bad at scans, which push out everything that
is older, and at loops a little larger than the pool, of which it keeps nothing.
"""

from operator import attrgetter

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class LRU(EvictionPolicy):
    """Least recently used first; O(log n) a victim.

    The node's own tick is the key, so there is nothing to remember.
    """

    name = "lru"
    reason = "least recent"

    def __init__(self) -> None:
        self._leaves = LeafHeap(attrgetter("tick"))

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf under its last use."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the least recently used unlocked leaf."""
        return self._leaves.first()
