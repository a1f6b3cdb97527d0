"""LRU as a learner would write it: the oracle of the order tests runs in the same host."""

import heapq

from radixlab.exercise.policy import Node


class LeastRecent:
    """Least recently used first; entries that are out of date are dropped when they surface."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Node]] = []
        self._queued: dict[int, int] = {}
        """By node id, the tick under which a candidate stands in the heap."""

    def on_evictable(self, node: Node) -> None:
        """Queue the leaf under its last use."""
        self._queued[node.id] = node.tick
        heapq.heappush(self._heap, (node.tick, node.id, node))

    def on_protected(self, node: Node) -> None:
        """Forget the leaf; its entry surfaces some time."""
        self._queued.pop(node.id, None)

    on_remove = on_protected

    def victim(self) -> Node | None:
        """Return the candidate with the smallest tick."""
        while self._heap:
            tick, id, node = self._heap[0]
            if self._queued.get(id) == tick:
                return node
            heapq.heappop(self._heap)
        return None
