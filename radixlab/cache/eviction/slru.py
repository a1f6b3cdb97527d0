"""SLRU: a node is on probation until its first hit, and protected from then on.

There are two LRU lists. A new node is on *probation*; a hit moves it to the *protected* list, which
holds at most a share of all nodes and sends its own least recent back to probation. Victims come
from probation while it has any. (Karedla, Love and Wherry, 1994.)

It is good for scans: nodes that are read once never leave probation, and displace only each other.
It is bad if the first reuse comes late, as in a chat with many users: new conversations are evicted
before it.
"""

from collections import OrderedDict

from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode

PROTECTED_SHARE = 0.8
"""The largest share of nodes that may be protected."""


class SLRU(EvictionPolicy):
    """Segmented LRU; O(log n) per victim, amortised O(1) per hit."""

    name = "slru"
    reason = "least recent on probation"

    def __init__(self, protected_share: float = PROTECTED_SHARE) -> None:
        self._share = protected_share
        self._num_nodes = 0
        self._protected: OrderedDict[int, PolicyNode] = OrderedDict()
        """Least recently hit first."""
        self._leaves = LeafHeap(lambda node: (node.id in self._protected, node.tick))

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Start on probation."""
        self._num_nodes += 1

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Protect the node; if that makes too many, the least recent one loses protection."""
        self._protected[node.id] = node
        self._protected.move_to_end(node.id)
        self._demote()

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Give both halves the list of the node."""
        self._num_nodes += 1
        if lower.id in self._protected:
            self._protected[upper.id] = upper
            self._demote()

    def on_remove(self, node: PolicyNode) -> None:
        """Forget the node; with fewer nodes, fewer are protected."""
        self._num_nodes -= 1
        self._protected.pop(node.id, None)
        self._demote()

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf."""
        self._leaves.push(node)

    def victim(self) -> PolicyNode | None:
        """Return the least recent unlocked leaf on probation, else the least recent protected."""
        return self._leaves.first()

    def _demote(self) -> None:
        while len(self._protected) > max(1, self._share * self._num_nodes):
            _, node = self._protected.popitem(last=False)
            if node.evictable:
                self._leaves.push(node)
