"""LRU: the least recently used leaf is evicted first.

The idea comes from RadixAttention (arXiv 2312.07104, §3): only leaves are evicted, so a cached
block's prefix is always cached, and a parent becomes a candidate when its last child is gone.
Because the manager trims the *tail* of the victim, block by block, leaf-LRU equals exact LRU over
single blocks.

LRU is good if recently used blocks are used again, as in chats. It is bad for scans, which evict
everything older, and for loops slightly larger than the pool, which it evicts completely.
"""

from collections import deque
from heapq import heappop, heappush

from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class LRU(EvictionPolicy):
    """Least recently used first; mostly O(1) a victim, at worst O(log n).

    Most leaves become candidates in the order of their last use: each request ends with a new tick.
    They stand in a queue. A leaf that comes late, such as a parent whose last child was evicted, is
    no newer than the end of the queue, and goes into a heap. The victim is the older of the two
    first ones.

    Nothing is ever taken out on purpose: an entry is stale once its node was used again, locked,
    given a child or removed, and stale entries are dropped when they surface, or all at once when
    they are the majority. (`LeafHeap` does the same for any other key.)
    """

    name = "lru"
    reason = "least recent"

    def __init__(self) -> None:
        self._queue: deque[tuple[int, int, PolicyNode]] = deque()
        """Tick, id and leaf, in this order."""
        self._newest = 0
        """The tick at the end of the queue."""
        self._late: list[tuple[int, int, PolicyNode]] = []
        """A heap of the same."""
        self._clean_at = 1024

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf under its last use; ties go by id (E3)."""
        queue = self._queue
        if len(queue) + len(self._late) >= self._clean_at:
            queue = self._drop_stale()
        tick = node.tick
        if tick > self._newest or not queue:
            queue.append((tick, node.id, node))
            self._newest = tick
        else:
            heappush(self._late, (tick, node.id, node))

    def victim(self) -> PolicyNode | None:
        """Return the least recently used unlocked leaf; it stays until it is trimmed away.

        Rules: L4, E5.
        """
        queue, late = self._queue, self._late
        while queue or late:
            is_late = late and (not queue or late[0] < queue[0])
            tick, _, node = late[0] if is_late else queue[0]
            if node.tick == tick and node.evictable:
                return node
            if is_late:
                heappop(late)
            else:
                queue.popleft()
        return None

    def _drop_stale(self) -> deque[tuple[int, int, PolicyNode]]:
        """Put the live leaves into a new queue, and return it."""
        entries = [*self._queue, *self._late]
        live = {e[1]: e for e in entries if e[2].tick == e[0] and e[2].evictable}
        self._queue, self._late = deque(sorted(live.values())), []
        self._newest = self._queue[-1][0] if live else 0
        self._clean_at = max(1024, 2 * len(live))
        return self._queue
