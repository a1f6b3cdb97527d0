"""GDSF: what is cheap to compute again goes first.

A leaf's priority is the age of the cache + hits · cost ÷ size (Greedy-Dual-Size-Frequency;
Cherkasova, HP Labs 1998). For KV blocks the cost of a block is the work to compute it again, and
that grows with its depth: each of its tokens passes the weights once, which is the same everywhere,
and attends to everything before it, which is not. Cost ÷ size is therefore the cost of one block at
the leaf's depth, and the blocks of a leaf need not be counted.

Good where long documents compete with short prompts. It pays for that in hit *rate*: it maximises
work saved, not tokens found.
"""

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode

EVEN_DEPTH_BLOCKS = 1024
"""Depth at which attending costs as much as the weights do: about 16k tokens for a model of 8 B
parameters (2 · 8e9 operations a token against 4 · 32 layers · 4,096 · depth)."""


class GDSF(EvictionPolicy):
    """Least hits times cost first, ties by recency; O(log n) a victim."""

    name = "gdsf"
    reason = "cheapest to compute again"

    def __init__(self) -> None:
        self._age = 0.0
        self._priority: dict[int, float] = {}
        self._leaves = LeafHeap(lambda node: (self._priority[node.id], node.tick))

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Value the node as if it had been used once."""
        self._priority[node.id] = self._value(node)

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Value the node by its hits so far."""
        self._priority[node.id] = self._value(node)

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Give both halves the priority of the whole."""
        self._priority[upper.id] = self._priority[lower.id]

    def on_remove(self, node: PolicyNode) -> None:
        """Let the cache grow as old as the node that went."""
        self._age = max(self._age, self._priority.pop(node.id))

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf under its priority."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the unlocked leaf whose loss costs least."""
        return self._leaves.first()

    def _value(self, node: PolicyNode) -> float:
        return self._age + (1 + node.num_hits) * (1 + node.end / EVEN_DEPTH_BLOCKS)
