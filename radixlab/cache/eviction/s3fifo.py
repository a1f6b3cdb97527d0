"""S3-FIFO: three queues, and a quick exit for nodes that are used once.

New nodes enter a *small* queue. At its head, a node that was hit moves to the *main* queue; a node
that was not is evicted, and leaves its name in a *ghost* queue. A ghost that returns enters the
main queue at once. In the main queue, each hit (three at most) gives one more round. (Yang et al.,
SOSP 2023.)

It is good for scans and nearly as cheap as FIFO. It is bad if the first reuse comes later than the
small queue and the ghosts can remember.
"""

from collections import OrderedDict

from radixlab.cache.eviction.content import content_key
from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode

SMALL_SHARE = 0.1
"""The share of all nodes that the small queue may hold before victims come from it."""
MAX_USES = 3


class S3FIFO(EvictionPolicy):
    """Small, main and ghost queue; amortised O(log n) per victim."""

    name = "s3fifo"
    reason = "not used again in its queue"

    def __init__(self) -> None:
        self._turn: dict[int, int] = {}
        """Each node's number in its queue, by node id; lower is older."""
        self._uses: dict[int, int] = {}
        self._small: set[int] = set()
        self._keys: dict[int, int] = {}
        """The content of each node, by which a ghost is recognised."""
        self._ghosts: OrderedDict[int, None] = OrderedDict()
        self._num_turns = 0
        self._small_leaves = LeafHeap(lambda node: self._turn[node.id])
        self._main_leaves = LeafHeap(lambda node: self._turn[node.id])

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Join the small queue, or main if the ghost queue knows the node."""
        key = content_key(node, self._keys)
        self._keys[node.id] = key
        if key in self._ghosts:
            del self._ghosts[key]
        else:
            self._small.add(node.id)
        self._uses[node.id] = 0
        self._line_up(node)

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Count the use; the position in the queue stays."""
        self._uses[node.id] = min(MAX_USES, self._uses[node.id] + 1)

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Give both halves the queue, the position and the uses of the node."""
        self._keys[upper.id] = self._keys[lower.id]
        self._keys[lower.id] = content_key(lower, self._keys)
        self._turn[upper.id] = self._turn[lower.id]
        self._uses[upper.id] = self._uses[lower.id]
        if lower.id in self._small:
            self._small.add(upper.id)

    def on_remove(self, node: PolicyNode) -> None:
        """Remember nodes evicted from the small queue, as many as there are nodes."""
        key = self._keys.pop(node.id)
        if node.id in self._small:
            self._small.remove(node.id)
            self._ghosts[key] = None
        while len(self._ghosts) > len(self._keys):
            self._ghosts.popitem(last=False)
        del self._turn[node.id], self._uses[node.id]

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf at its node's position."""
        self._heap_of(node).push(node)

    def victim(self) -> PolicyNode | None:
        """Return the first leaf that was not used; used ones move to the end of the queue."""
        while (node := self._first()) is not None:
            uses = self._uses[node.id]
            if not uses:
                return node
            if node.id in self._small:
                self._small.remove(node.id)
                self._uses[node.id] = 0
            else:
                self._uses[node.id] = uses - 1
            self._line_up(node)
            self._main_leaves.push(node)
        return None

    def _first(self) -> PolicyNode | None:
        small, main = self._small_leaves.first(), self._main_leaves.first()
        full = len(self._small) > SMALL_SHARE * len(self._keys)
        return (small or main) if full else (main or small)

    def _heap_of(self, node: PolicyNode) -> LeafHeap:
        return self._small_leaves if node.id in self._small else self._main_leaves

    def _line_up(self, node: PolicyNode) -> None:
        self._turn[node.id] = self._num_turns
        self._num_turns += 1
