"""GDSF: blocks that are cheap to recompute are evicted first.

A leaf's priority is the age of the cache + hits · cost ÷ size (Greedy-Dual-Size-Frequency;
Cherkasova, HP Labs 1998). The cost of a KV block is the work to recompute it, which grows with its
depth: each token passes the weights once, at the same cost everywhere, and attends to all tokens
before it, at a cost that grows. Cost ÷ size is therefore the cost of one block at the leaf's depth,
and the blocks of a leaf need not be counted.

It is good if long documents compete with short prompts. Its hit *rate* is lower, because it
maximises the work saved, not the tokens found.
"""

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode

EVEN_DEPTH_BLOCKS = 1024
"""Depth at which attending costs as much as the weights do: about 16k tokens for a model of 8 B
parameters (2 · 8e9 operations a token against 4 · 32 layers · 4,096 · depth)."""


class GDSF(EvictionPolicy):
    """Least hits times cost first, ties by recency; O(log n) per victim."""

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
        """Raise the age of the cache to the priority of the evicted node."""
        self._age = max(self._age, self._priority.pop(node.id))

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf by its priority."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the unlocked leaf whose loss costs least."""
        return self._leaves.first()

    def _value(self, node: PolicyNode) -> float:
        return self._age + (1 + node.num_hits) * (1 + node.end / EVEN_DEPTH_BLOCKS)
