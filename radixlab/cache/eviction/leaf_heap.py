"""A lazily cleaned heap of unlocked leaves, the basis of most policies.

A leaf is pushed when it becomes evictable. Entries are not removed at once: an entry becomes stale
when its node is used again, locked, given a child or removed. A stale entry is dropped when it
reaches the top, or with all others when the stale ones are the majority.
"""

import heapq
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from radixlab.cache.protocols import PolicyNode


class LeafHeap:
    """Leaves by a key, the smallest first, ties by node id; O(log n) amortised.

    `key` returns a leaf's *current* key. An entry with another key is stale, so a leaf that stays
    evictable while its key changes must be pushed again. `live` names the attribute that a live
    leaf has: `evictable` on the device, `droppable` on the host.
    """

    _SLACK = 1024

    def __init__(
        self,
        key: Callable[[Any], Any],
        live: Callable[[Any], bool] = attrgetter("evictable"),
    ) -> None:
        self._key = key
        self._live = live
        self._heap: list[tuple[Any, int, PolicyNode]] = []
        self._rebuild_at = self._SLACK

    def __len__(self) -> int:
        """Count the entries, including stale ones."""
        return len(self._heap)

    def __contains__(self, node: PolicyNode) -> bool:
        """Whether a live entry names this leaf; O(entries), for checks."""
        return any(
            known is node and self._live(node) and self._key(node) == key
            for key, _, known in self._heap
        )

    def push(self, node: PolicyNode) -> None:
        """Push a leaf with its current key (E3)."""
        if len(self._heap) >= self._rebuild_at:
            self._drop_stale()
        heapq.heappush(self._heap, (self._key(node), node.id, node))

    def first(self) -> PolicyNode | None:
        """Return the live leaf with the smallest key; it stays (L4, E5)."""
        heap = self._heap
        while heap:
            key, _, node = heap[0]
            if self._live(node) and self._key(node) == key:
                return node
            heapq.heappop(heap)
        return None

    def pop(self) -> Any:
        """Pop the live leaf with the smallest key; None if there is none."""
        node = self.first()
        if node is not None:
            heapq.heappop(self._heap)
        return node

    def _drop_stale(self) -> None:
        live = {
            node.id: (key, node.id, node)
            for key, _, node in self._heap
            if self._live(node) and self._key(node) == key
        }
        self._heap = list(live.values())
        heapq.heapify(self._heap)
        self._rebuild_at = max(self._SLACK, 2 * len(self._heap))
