"""What a right answer is: the legal victims, LRU's, and what LRU and the optimum find."""

import heapq
from functools import lru_cache
from typing import Any

from radixlab.exercise.policy import Node
from radixlab.grade.ex4.traffic import Trace
from radixlab.workloads.replay import ReplayResult, make_manager, replay

Events = list[tuple[Any, ...]]


class LeastRecent:
    """LRU as a learner would write it; entries that are out of date are dropped on the way."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Node]] = []
        self._queued: dict[int, int] = {}
        """By node id, the tick under which a candidate stands in the heap."""

    def on_evictable(self, node: Node) -> None:
        """Queue the leaf under its last use."""
        self._queued[node.id] = node.tick
        heapq.heappush(self._heap, (node.tick, node.id, node))

    def on_protected(self, node: Node) -> None:
        """Forget the leaf; its entry is dropped when it comes to the top."""
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


def candidates(events: Events) -> dict[int, int]:
    """Return the ticks of the nodes that may be evicted after some events, by node id."""
    found: dict[int, int] = {}
    for hook, id, *facts in events:
        if hook == "on_evictable":
            found[id] = facts[2]
        elif hook in ("on_protected", "on_remove"):
            found.pop(id, None)
    return found


def least_recent(events: Events) -> dict[int, int]:
    """Return the candidates whose last use is longest ago."""
    found = candidates(events)
    return {id: tick for id, tick in found.items() if tick == min(found.values())}


@lru_cache(maxsize=64)
def under_lru(trace: Trace) -> ReplayResult:
    """Replay a trace under LRU."""
    return replay(make_manager("lru", trace.config), trace.requests())


@lru_cache(maxsize=64)
def optimum(trace: Trace) -> float:
    """Return the most that can be found of a trace: Belady's token hit rate."""
    requests = trace.requests()
    manager = make_manager("belady", trace.config, lambda: requests)
    return replay(manager, requests).token_hit_rate
