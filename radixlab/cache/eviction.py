"""Which unlocked leaf to give up: least recently used.

The idea is RadixAttention's (arXiv 2312.07104, §3): only leaves go, so a cached block's prefix is
always cached, and a parent becomes a candidate when its last child is gone. Because the manager
trims the *tail* of the victim, block by block, leaf-LRU equals exact LRU over single blocks.

A policy knows nodes by `tick`, `num_hits` and size; it does not know tokens, blocks or the tree.
"""

import heapq
from collections.abc import Callable

from radixlab.cache.protocols import EvictionPolicy, PolicyNode


class LRU:
    """Least recently used first, from a lazily cleaned heap: O(log n) a victim.

    An entry is stale once its node was used again, locked, given a child or removed; stale entries
    are dropped when they surface, or all at once when they are the majority.
    """

    name = "lru"
    reason = "least recent"
    _SLACK = 1024

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, PolicyNode]] = []
        self._rebuild_at = self._SLACK

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Nothing to do: the node comes back through `on_evictable`."""

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Nothing to do: the node's own tick is the key."""

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Nothing to do: `lower` stays the leaf it was, and `upper` has a child."""

    def on_remove(self, node: PolicyNode) -> None:
        """Nothing to do: its entry is stale now."""

    def on_protected(self, node: PolicyNode) -> None:
        """Nothing to do: its entry is stale now."""

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf under its last use."""
        if len(self._heap) >= self._rebuild_at:
            self._drop_stale()
        heapq.heappush(self._heap, (node.tick, node.id, node))

    def victim(self) -> PolicyNode | None:
        """Return the least recently used unlocked leaf."""
        heap = self._heap
        while heap:
            tick, _, node = heap[0]
            if node.tick == tick and node.evictable:
                return node
            heapq.heappop(heap)
        return None

    def _drop_stale(self) -> None:
        live = {
            node.id: (tick, node.id, node)
            for tick, _, node in self._heap
            if node.tick == tick and node.evictable
        }
        self._heap = list(live.values())
        heapq.heapify(self._heap)
        self._rebuild_at = max(self._SLACK, 2 * len(self._heap))


POLICIES: dict[str, Callable[[], EvictionPolicy]] = {"lru": LRU}
"""Eviction policies by name; a plug-in registers itself here."""
