"""LRU: the least recently used leaf is evicted first.

The idea comes from RadixAttention (arXiv 2312.07104, §3): only leaves are evicted, so a cached
block's prefix is always cached, and a parent becomes a candidate when its last child is gone.
Because the manager trims the *tail* of the victim, block by block, leaf-LRU equals exact LRU over
single blocks.

LRU is good if recently used blocks are used again, as in chats. It is bad for scans, which evict
everything older, and for loops slightly larger than the pool, which it evicts completely.
"""

from heapq import heapify, heappop, heappush

from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class LRU(EvictionPolicy):
    """Least recently used first; O(log n) a victim.

    The unlocked leaves are in a heap, by their tick. Nothing is ever taken out on purpose: an entry
    is stale once its node was used again, locked, given a child or removed, and stale entries are
    dropped when they surface, or all at once when they are the majority. (`LeafHeap` is the same
    for any other key.)
    """

    name = "lru"
    reason = "least recent"

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, PolicyNode]] = []
        self._clean_at = 1024

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf under its last use; ties go by id (E3)."""
        if len(self._heap) >= self._clean_at:
            live = {e[1]: e for e in self._heap if e[2].tick == e[0] and e[2].evictable}
            self._heap = list(live.values())
            heapify(self._heap)
            self._clean_at = max(1024, 2 * len(self._heap))
        heappush(self._heap, (node.tick, node.id, node))

    def victim(self) -> PolicyNode | None:
        """Return the least recently used unlocked leaf; it stays until it is trimmed away.

        Rules: L4, E5.
        """
        heap = self._heap
        while heap:
            tick, _, node = heap[0]
            if node.tick == tick and node.evictable:
                return node
            heappop(heap)
        return None
