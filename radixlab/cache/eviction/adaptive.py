"""Adaptive: the leaf with the fewest expected hits for its space is evicted first.

LRU is good for chats and bad for scans; a policy that evicts leaves used once is good for scans and
bad for chats. This policy has no fixed rule. It learns from the traffic how likely a block is to be
used again, given how often it was used and how long it has waited (`life_table.py`). In a scan, a
block read once is never used again; in a chat, it is used again soon.

Leaves are queued by kind, least recent first. The victim is the head of a queue with the least *hit
density*: expected hits per block and tick (Beckmann, Chen and Cidon, LHD, NSDI 2018). Before
anything is learned, this is the least recent leaf, as in LRU. Evicted nodes are remembered by name
for a while, as in ARC (Megiddo and Modha, FAST 2003). Without such ghosts, a policy cannot learn
from its mistakes, and a document that returns would count as new.

Its hit rates, beside those of other policies, are in benchmarks/RESULTS.md, "Eviction policies".
"""

from collections import OrderedDict
from operator import attrgetter

from radixlab.cache.eviction.content import content_key
from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.eviction.life_table import (
    NUM_AGES,
    NUM_KINDS,
    FloatArray,
    LifeTable,
    Span,
    age_at,
)
from radixlab.cache.protocols import EvictionPolicy, PolicyNode

GHOST_POOLS = 4
"""The ghosts' blocks, as a multiple of the cached blocks, at most."""
LEAST_NEWS = 32
"""Ended spans between two updates of the densities; at least half of all known spans. An update
reads all spans, so its amortised cost is O(1) per span."""


class Adaptive(EvictionPolicy):
    """Least learned hit density first; amortised O(log n) per victim."""

    name = "adaptive"
    reason = "fewest hits expected"

    def __init__(self) -> None:
        self._leaves = [LeafHeap(attrgetter("tick")) for _ in range(NUM_KINDS)]
        self._spans: dict[int, Span] = {}
        """By node id."""
        self._keys: dict[int, int] = {}
        self._ghosts: OrderedDict[int, Span] = OrderedDict()
        """By key, the first evicted first."""
        self._table = LifeTable()
        self._density = [[0.0] * NUM_AGES] * NUM_KINDS
        self._now = self._num_news = 0

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Begin a span; a ghost that returns keeps its history."""
        self._now = max(self._now, tick)
        key = self._keys[node.id] = content_key(node, self._keys)
        self._spans[node.id] = Span(key, 0, self._now, node.num_blocks)
        if ghost := self._ghosts.pop(key, None):
            self._end(ghost, hit=True)
            self._spans[node.id].num_hits = ghost.num_hits + 1

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """End the node's span and begin the next; it is locked now, so no queue changes."""
        self._now, span = tick, self._spans[node.id]
        self._end(span, hit=True)
        span.num_hits += 1
        span.since = tick

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Give both halves the history of the node; the lower half has a new first block."""
        below = self._spans[lower.id]
        self._spans[upper.id] = Span(below.key, below.num_hits, below.since, upper.num_blocks)
        self._keys[upper.id] = below.key
        self._keys[lower.id] = below.key = content_key(lower, self._keys)
        below.num_blocks = max(lower.num_blocks, below.num_blocks - upper.num_blocks)

    def on_remove(self, node: PolicyNode) -> None:
        """Let the span of a victim continue as a ghost."""
        span = self._spans.pop(node.id)
        del self._keys[node.id]
        self._ghosts[span.key] = span
        self._ghosts.move_to_end(span.key)
        self._num_news += 1

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf by its kind, with its current length: it may have grown."""
        span = self._spans[node.id]
        span.num_blocks = max(span.num_blocks, node.num_blocks)
        self._now = span.since = max(self._now, node.tick)
        self._leaves[span.kind].push(node)

    def victim(self) -> PolicyNode | None:
        """Return the leaf with the least hit density among the least recent of each kind."""
        if self._num_news > max(LEAST_NEWS, (len(self._spans) + len(self._ghosts)) // 2):
            self._look()
        heads = [
            (kind, leaf) for kind, leaves in enumerate(self._leaves) if (leaf := leaves.first())
        ]
        if not heads:
            return None
        return min(heads, key=lambda head: self._rank(*head))[1]

    def learned(self) -> tuple[FloatArray, FloatArray]:
        """Return the blocks that it saw used again and all that it watched, `[kinds, ages]` each.

        Blocks that still wait count up to the age that they have.
        """
        return self._table.counts([*self._spans.values(), *self._ghosts.values()], self._now)

    def _rank(self, kind: int, leaf: PolicyNode) -> tuple[float, int]:
        return self._density[kind][age_at(self._now - leaf.tick)], leaf.tick

    def _end(self, span: Span, *, hit: bool) -> None:
        self._table.end(span, self._now, hit=hit)
        self._num_news += 1

    def _look(self) -> None:
        """Forget surplus ghosts, then recompute the densities."""
        most = GHOST_POOLS * sum(span.num_blocks for span in self._spans.values())
        too_many = sum(span.num_blocks for span in self._ghosts.values()) - most
        while too_many > 0:
            _, ghost = self._ghosts.popitem(last=False)
            too_many -= ghost.num_blocks
            self._end(ghost, hit=False)
        waiting = [*self._spans.values(), *self._ghosts.values()]
        self._density = self._table.hit_density(waiting, self._now)
        self._num_news = 0
