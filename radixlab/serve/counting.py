"""What the metrics count from the engine's events: tokens looked up, blocks allocated, evicted.

The engine's thread feeds the events. This file does not know how counts are published
(`metrics.py`), and it never keeps what a prompt says.

A prompt is looked up once, when it is first admitted. A preempted request is looked up again, but
finds mostly its own blocks; that is not counted as a query, a hit or a miss. Forks are not looked
up either: they share the blocks of a prompt that is already counted.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from radixlab import events as ev
from radixlab.cache.runs import num_blocks_in
from radixlab.events import Event, MissReason

TAIL = "tail"
"""The miss reason of tokens after the last whole block, which are never cached."""
MISS_REASONS = (*get_args(MissReason), TAIL)
MOST_REASONS = 16
"""Reasons of evictions that are told apart; a policy has one, and the host tier a few more."""
BLOCK_BUCKETS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)


class Histogram:
    """Counts of values between neighbouring bounds; `metrics.py` adds them up for Prometheus.

    >>> histogram = Histogram((1, 2))
    >>> for value in (1, 1.5, 7):
    ...     histogram.add(value)
    >>> histogram.counts, histogram.total
    ([1, 1, 1], 9.5)
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """`counts[i]`: values above `bounds[i - 1]` and at most `bounds[i]`; the last has no
        bound."""
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def copy(self) -> "Histogram":
        """Return a histogram that does not change when this one does."""
        other = Histogram(self.bounds)
        other.counts, other.total = self.counts[:], self.total
        return other


def _blocks() -> Histogram:
    return Histogram(BLOCK_BUCKETS)


@dataclass(slots=True)
class CacheCounts:
    """Counts since the server started; none ever falls."""

    query_tokens: int = 0
    device_hit_tokens: int = 0
    host_hit_tokens: int = 0
    miss_tokens: Counter[str] = field(default_factory=Counter)
    """By reason; hits and misses together are the queries."""
    preemptions: int = 0
    allocated_blocks: int = 0
    reused_blocks: int = 0
    evicted_blocks: Counter[str] = field(default_factory=Counter)
    """Blocks that left the device, written back or dropped, by the policy's reason."""
    dropped_blocks: int = 0
    """Blocks that were dropped although there is a host tier."""
    copied_blocks: int = 0
    prefix_match_blocks: Histogram = field(default_factory=_blocks)
    request_blocks: Histogram = field(default_factory=_blocks)
    """The length of a sequence's block table at its end."""

    def copy(self) -> "CacheCounts":
        """Return counts that do not change when these do."""
        return replace(
            self,
            miss_tokens=self.miss_tokens.copy(),
            evicted_blocks=self.evicted_blocks.copy(),
            prefix_match_blocks=self.prefix_match_blocks.copy(),
            request_blocks=self.request_blocks.copy(),
        )


class EventCounter:
    """A listener that counts what the cache tells."""

    def __init__(self, block_size: int, has_host: bool) -> None:
        self.counts = CacheCounts()
        self._block_size = block_size
        self._has_host = has_host
        self._tables: dict[int, int] = {}
        """Blocks in the block table of each running sequence."""
        self._host_nodes: dict[int, int] = {}
        """Blocks of each node that is on the host."""
        self._rules: dict[type[Event], Callable[[Any], None]] = {
            ev.PrefixMatched: self._matched,
            ev.BlocksAllocated: self._allocated,
            ev.SequenceForked: self._forked,
            ev.RequestFinished: self._finished,
            ev.RequestPreempted: self._preempted,
            ev.BlockCopied: self._copied,
            ev.BlockRemoved: self._removed,
            ev.WrittenBack: self._written_back,
            ev.LoadedBack: self._loaded_back,
            ev.NodeSplit: self._split,
            ev.BlockStored: self._stored,
            ev.AllBlocksCleared: self._cleared,
            ev.CacheRestarted: self._cleared,
        }

    def __call__(self, event: Event) -> None:
        """Count one event."""
        if rule := self._rules.get(type(event)):
            rule(event)

    # ---- sequences

    def _matched(self, event: ev.PrefixMatched) -> None:
        num_blocks = -(-event.hit_tokens // self._block_size)
        self._tables[event.sequence_id] = num_blocks
        if event.resumed:
            return
        counts = self.counts
        missing = event.num_tokens - event.hit_tokens
        tail = min(missing, event.num_tokens % self._block_size)
        counts.query_tokens += event.num_tokens
        counts.host_hit_tokens += event.host_hit_tokens
        counts.device_hit_tokens += event.hit_tokens - event.host_hit_tokens
        counts.miss_tokens[TAIL] += tail
        if missing > tail:
            counts.miss_tokens[event.miss_reason or TAIL] += missing - tail
        counts.reused_blocks += num_blocks
        counts.prefix_match_blocks.add(num_blocks)

    def _allocated(self, event: ev.BlocksAllocated) -> None:
        num_blocks = num_blocks_in(event.block_runs)
        self.counts.allocated_blocks += num_blocks
        self._tables[event.sequence_id] = self._tables.get(event.sequence_id, 0) + num_blocks

    def _forked(self, event: ev.SequenceForked) -> None:
        self._tables[event.sequence_id] = -(-event.num_tokens // self._block_size)

    def _finished(self, event: ev.RequestFinished) -> None:
        num_blocks = self._tables.pop(event.sequence_id, 0)
        if event.reason != "preempted":
            self.counts.request_blocks.add(num_blocks)

    def _preempted(self, event: ev.RequestPreempted) -> None:
        self.counts.preemptions += 1

    def _copied(self, event: ev.BlockCopied) -> None:
        self.counts.copied_blocks += 1

    # ---- the tree

    def _removed(self, event: ev.BlockRemoved) -> None:
        num_blocks = num_blocks_in(event.block_runs)
        if event.node_id in self._host_nodes:
            self._take_from_host(event.node_id, num_blocks)
        else:
            self._evicted(event.reason, num_blocks)
        if self._has_host:
            self.counts.dropped_blocks += num_blocks

    def _evicted(self, reason: str, num_blocks: int) -> None:
        evicted = self.counts.evicted_blocks
        if reason not in evicted and len(evicted) >= MOST_REASONS:
            reason = "other"
        evicted[reason] += num_blocks

    def _written_back(self, event: ev.WrittenBack) -> None:
        num_blocks = num_blocks_in(event.block_runs)
        self._evicted(event.reason, num_blocks)
        node_id = event.host_node_id
        self._host_nodes[node_id] = self._host_nodes.get(node_id, 0) + num_blocks

    def _loaded_back(self, event: ev.LoadedBack) -> None:
        self._host_nodes.pop(event.node_id, None)

    def _stored(self, event: ev.BlockStored) -> None:
        self._host_nodes.pop(event.node_id, None)

    def _split(self, event: ev.NodeSplit) -> None:
        if event.node_id in self._host_nodes:
            self._take_from_host(event.node_id, event.num_blocks)
            self._host_nodes[event.upper_id] = event.num_blocks

    def _take_from_host(self, node_id: int, num_blocks: int) -> None:
        self._host_nodes[node_id] -= num_blocks
        if self._host_nodes[node_id] <= 0:
            del self._host_nodes[node_id]

    def _cleared(self, event: Event) -> None:
        self._host_nodes.clear()
        if isinstance(event, ev.CacheRestarted):
            self._tables.clear()
