"""Adaptive: whoever promises the fewest hits for the room it takes goes first.

LRU is right about chats and wrong about scans; a policy that lets go of what was used once is right
about scans and wrong about chats. This one has no such rule. It learns from the traffic how likely
a block is used again, by how often it was used before and how long it has waited (`life_table.py`):
in a scan what was read once never is, in a chat it is, and soon.

Leaves are queued by kind, least recent first, and the victim is the queue's head with the least
*hit density*: hits to expect per block and tick (Beckmann, Chen and Cidon, LHD, NSDI 2018). Until
something is known that is the least recent leaf of all, as in LRU. What was evicted is remembered
by name for a while, as in ARC (Megiddo and Modha, FAST 2003): without such ghosts a policy never
learns what it lost, and a document that comes back would be a new one.

What it finds on which traffic, beside the others, is in benchmarks/RESULTS.md, "Eviction policies".
"""

from collections import OrderedDict
from operator import attrgetter

from radixlab.cache.eviction.content import content_key
from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.eviction.life_table import NUM_AGES, NUM_KINDS, LifeTable, Span, age_at
from radixlab.cache.protocols import EvictionPolicy, PolicyNode

GHOST_POOLS = 4
"""Ghosts stand for at most so many times the blocks that are cached."""
LEAST_NEWS = 32
"""Spans that end between two looks at the table, or half of all that are known if that is more: so
a look, which goes through all, costs O(1) a span."""


class Adaptive(EvictionPolicy):
    """Least hit density first, as learned; O(log n) a victim, amortised."""

    name = "adaptive"
    reason = "least hits to expect"

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
        """Begin a span; a ghost that comes back goes on with what is known of it."""
        self._now = max(self._now, tick)
        key = self._keys[node.id] = content_key(node, self._keys)
        self._spans[node.id] = Span(key, 0, self._now, node.num_blocks)
        if ghost := self._ghosts.pop(key, None):
            self._end(ghost, hit=True)
            self._spans[node.id].num_hits = ghost.num_hits + 1

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """End the node's span and begin the next; it is locked now, so no queue has to know."""
        self._now, span = tick, self._spans[node.id]
        self._end(span, hit=True)
        span.num_hits += 1
        span.since = tick

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Give both halves the past of the whole; the lower one has a new first block."""
        below = self._spans[lower.id]
        self._spans[upper.id] = Span(below.key, below.num_hits, below.since, upper.num_blocks)
        self._keys[upper.id] = below.key
        self._keys[lower.id] = below.key = content_key(lower, self._keys)
        below.num_blocks = max(lower.num_blocks, below.num_blocks - upper.num_blocks)

    def on_remove(self, node: PolicyNode) -> None:
        """Let the span of a victim go on as a ghost."""
        span = self._spans.pop(node.id)
        del self._keys[node.id]
        self._ghosts[span.key] = span
        self._ghosts.move_to_end(span.key)
        self._num_news += 1

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf among its kind, at its full length: it may have grown."""
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

    def _rank(self, kind: int, leaf: PolicyNode) -> tuple[float, int]:
        return self._density[kind][age_at(self._now - leaf.tick)], leaf.tick

    def _end(self, span: Span, *, hit: bool) -> None:
        self._table.end(span, self._now, hit=hit)
        self._num_news += 1

    def _look(self) -> None:
        """Forget ghosts that are too many, then learn the densities anew."""
        most = GHOST_POOLS * sum(span.num_blocks for span in self._spans.values())
        too_many = sum(span.num_blocks for span in self._ghosts.values()) - most
        while too_many > 0:
            _, ghost = self._ghosts.popitem(last=False)
            too_many -= ghost.num_blocks
            self._end(ghost, hit=False)
        waiting = [*self._spans.values(), *self._ghosts.values()]
        self._density = self._table.hit_density(waiting, self._now)
        self._num_news = 0
