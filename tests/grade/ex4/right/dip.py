# DIP (Qureshi et al., ISCA 2007): some keys always play LRU, some "new ones first"; misses vote.
import bisect
from typing import NamedTuple


class Leaf(NamedTuple):
    tick: int
    id: int
    node: object


class LeastRecent:
    """One sorted list of named tuples, and where each stands by bisection."""

    def __init__(self):
        self.leaves, self.tick = [], {}

    def on_evictable(self, node):
        self.tick[node.id] = node.tick
        bisect.insort(self.leaves, Leaf(node.tick, node.id, node), key=lambda leaf: leaf[:2])

    def on_protected(self, node):
        match self.tick.pop(node.id, None):
            case int(tick):
                at = bisect.bisect_left(self.leaves, (tick, node.id), key=lambda leaf: leaf[:2])
                del self.leaves[at]

    on_remove = on_protected

    def victim(self):
        return self.leaves[0].node if self.leaves else None


class MyPolicy:
    def __init__(self):
        self.fresh, self.known = LeastRecent(), LeastRecent()
        self.facts, self.ghosts = {}, {}
        self.vote = 0.0  # positive: newcomers come back, so recency is right

    def on_insert(self, node, tick):
        was_known = self.ghosts.pop(node.key, None)
        self.facts[node.id] = (node.key, was_known is not None)
        if was_known is not None:
            self.vote += -1 if was_known else 3
            self.vote = max(-40, min(40, self.vote))

    def on_hit(self, node, tick):
        key, known = self.facts[node.id]
        self.facts[node.id] = (key, True)
        if not known:
            self.vote = min(40, self.vote + 1)

    def on_split(self, upper, lower):
        _, known = self.facts[lower.id]
        self.facts[upper.id], self.facts[lower.id] = (upper.key, known), (lower.key, known)

    def on_evictable(self, node):
        (self.known if self.facts[node.id][1] else self.fresh).on_evictable(node)

    def on_protected(self, node):
        self.fresh.on_protected(node)
        self.known.on_protected(node)

    def on_remove(self, node):
        self.on_protected(node)
        key, known = self.facts.pop(node.id)
        self.ghosts[key] = known
        self.vote -= 0.0 if known else 0.4
        self.vote = max(self.vote, -40)
        for old in [*self.ghosts][: max(0, len(self.ghosts) - 3 * len(self.facts) - 20)]:
            del self.ghosts[old]

    def victim(self):
        fresh, known = self.fresh.victim(), self.known.victim()
        if not (fresh and known):
            return fresh or known
        if self.vote < 0 or fresh.tick < known.tick:
            return fresh
        return known


PREDICTION = "scan-polluted"
