"""Adaptive: LRU, guarded against what is read only once.

LRU is right about chats and wrong about scans; a policy that lets go of what was used once is right
about scans and wrong about chats. This one does both, and learns from its own mistakes how far to
go. Leaves are of two kinds, used *once* (stored, never hit) and used *again*. The victim is the
least recent leaf of all, unless the leaves used once have more than a *limit* of the evictable
blocks: then it is the least recent of those, even if a leaf used again is older.

Where the two rules disagree, the victim leaves its name and who sent it away in a ghost list. If it
comes back, the rule was wrong, and the limit moves: up, towards LRU, if it had been used once; down
if it was an old leaf that the guard would have kept. The rarer kind of mistake weighs more, as in
ARC (Megiddo and Modha, FAST 2003), from which the ghosts are taken. ARC itself was tried, and loses
more on chats: its two lists never are one LRU list, and ours with the limit at 1 are.
"""

from collections import OrderedDict
from dataclasses import dataclass
from operator import attrgetter

from radixlab.cache.eviction.content import content_key
from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.protocols import EvictionPolicy, PolicyNode

GHOST_POOLS = 6
"""Ghosts stand for at most so many times the evictable blocks."""
MOST_WEIGHT = 8.0
"""Most that the rarer kind of mistake may weigh."""


@dataclass(slots=True)
class _Known:
    """What is kept of a node."""

    key: int
    again: bool
    blocks: int = 0
    """Its blocks while it is evictable, else 0."""


class Adaptive(EvictionPolicy):
    """LRU with a learned limit on what was used once; O(log n) a victim."""

    name = "adaptive"
    reason = "least recent, or used only once"

    def __init__(self) -> None:
        self._once = LeafHeap(attrgetter("tick"))
        self._again = LeafHeap(attrgetter("tick"))
        self._known: dict[int, _Known] = {}
        self._keys: dict[int, int] = {}
        self._blocks = {False: 0, True: 0}
        """Evictable blocks in leaves used once and again."""
        self._ghosts = Ghosts()
        self._sent_by: dict[int, str] = {}
        """Which rule chose a node as victim, where the two disagreed."""
        self.limit = 1.0
        """Share of the evictable blocks that leaves used once may have."""

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Note a new node; if it is a ghost that came back, learn from the mistake."""
        key = content_key(node, self._keys)
        mistake = self._ghosts.pop(key)
        if mistake is not None:
            rule, blocks = mistake
            step = blocks / max(1, sum(self._blocks.values())) * self._ghosts.weight(rule)
            if rule == "guard":
                self.limit = min(1.0, self.limit + step)
            elif rule == "age":
                self.limit = max(0.0, self.limit - step)
        self._keys[node.id] = key
        self._known[node.id] = _Known(key, again=mistake is not None)

    def on_hit(self, node: PolicyNode, tick: int) -> None:
        """Note that the node was used again; it is locked now, so no heap has to know."""
        self._known[node.id].again = True

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Give both halves the use of the whole; the lower one has a new first block."""
        known = self._known[lower.id]
        self._known[upper.id] = _Known(known.key, known.again)
        self._keys[upper.id] = known.key
        self._keys[lower.id] = known.key = content_key(lower, self._keys)
        if known.blocks:
            self._count(known, lower.num_blocks)

    def on_remove(self, node: PolicyNode) -> None:
        """Keep the name of a victim for as long as the ghosts have room."""
        known = self._known.pop(node.id)
        del self._keys[node.id]
        self._ghosts.add(known.key, self._sent_by.pop(node.id, "both"), known.blocks)
        self._count(known, 0)
        self._ghosts.shrink(GHOST_POOLS * max(1, sum(self._blocks.values())))

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf among its kind."""
        known = self._known[node.id]
        self._count(known, node.num_blocks)
        (self._again if known.again else self._once).push(node)

    def on_protected(self, node: PolicyNode) -> None:
        """Count the leaf out."""
        self._count(self._known[node.id], 0)

    def victim(self) -> PolicyNode | None:
        """Return the least recent leaf, or the least recent one used once if those are too many."""
        once, again = self._once.first(), self._again.first()
        if once is None or again is None:
            return self._send(once or again, "both")
        if once.tick <= again.tick:
            return self._send(once, "both")
        if self._blocks[False] > self.limit * sum(self._blocks.values()):
            return self._send(once, "guard")
        return self._send(again, "age")

    def _send(self, node: PolicyNode | None, rule: str) -> PolicyNode | None:
        if node is not None:
            self._sent_by[node.id] = rule
        return node

    def _count(self, known: _Known, blocks: int) -> None:
        self._blocks[known.again] += blocks - known.blocks
        known.blocks = blocks


class Ghosts:
    """Names of what was evicted, the oldest forgotten first, and how many blocks each rule sent."""

    def __init__(self) -> None:
        self._entries: OrderedDict[int, tuple[str, int]] = OrderedDict()
        self._blocks = {"guard": 0, "age": 0, "both": 0}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, key: int, rule: str, blocks: int) -> None:
        """Remember a victim and the rule that sent it."""
        self.pop(key)
        self._entries[key] = (rule, blocks)
        self._blocks[rule] += blocks

    def pop(self, key: int) -> tuple[str, int] | None:
        """Forget a ghost; return the rule that sent it and its blocks, None if it is unknown."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._blocks[entry[0]] -= entry[1]
        return entry

    def weight(self, rule: str) -> float:
        """Say how much a mistake of this rule weighs: more if the other rule sent more away."""
        other = {"guard": "age", "age": "guard"}.get(rule, rule)
        ratio = max(1, self._blocks[other]) / max(1, self._blocks[rule])
        return min(MOST_WEIGHT, max(1.0, ratio))

    def shrink(self, max_blocks: int) -> None:
        """Forget the oldest until the rest stand for at most `max_blocks` blocks."""
        while sum(self._blocks.values()) > max_blocks:
            self.pop(next(iter(self._entries)))
