"""LRU: the leaf that nobody has used for longest goes first.

The idea is RadixAttention's (arXiv 2312.07104, §3): only leaves go, so a cached block's prefix is
always cached, and a parent becomes a candidate when its last child is gone. Because the manager
trims the *tail* of the victim, block by block, leaf-LRU equals exact LRU over single blocks.

Good where what was used lately is used again (chat). Bad at scans, which push out everything that
is older, and at loops a little larger than the pool, of which it keeps nothing.
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
        """Queue the leaf under its last use; ties go by id."""
        if len(self._heap) >= self._clean_at:
            live = {e[1]: e for e in self._heap if e[2].tick == e[0] and e[2].evictable}
            self._heap = list(live.values())
            heapify(self._heap)
            self._clean_at = max(1024, 2 * len(self._heap))
        heappush(self._heap, (node.tick, node.id, node))

    def victim(self) -> PolicyNode | None:
        """Return the least recently used unlocked leaf; it stays until it is trimmed away."""
        heap = self._heap
        while heap:
            tick, _, node = heap[0]
            if node.tick == tick and node.evictable:
                return node
            heappop(heap)
        return None
