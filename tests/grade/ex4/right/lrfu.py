# LRFU (Lee et al., 2001): uses that fade; a leaf's rank is the logarithm of their sum, which keeps.
import math
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

HALF_LIFE = 40.0  # ticks


@dataclass(order=True)
class Entry:
    rank: float
    id: int
    node: object = field(compare=False, repr=False)


@dataclass
class Ordered:
    heap: list = field(default_factory=list)
    live: dict = field(default_factory=dict)

    def push(self, node, rank):
        entry = self.live[node.id] = Entry(rank, node.id, node)
        heappush(self.heap, entry)
        if len(self.heap) > 2 * len(self.live) + 32:
            self.heap = list(self.live.values())
            heapify(self.heap)

    def drop(self, node):
        self.live.pop(node.id, None)

    def first(self):
        while self.heap and self.live.get(self.heap[0].id) is not self.heap[0]:
            heappop(self.heap)
        return self.heap[0].node if self.heap else None


class LeastRecent:
    def __init__(self):
        self.leaves = Ordered()

    def on_evictable(self, node):
        self.leaves.push(node, node.tick)

    def on_protected(self, node):
        self.leaves.drop(node)

    def on_remove(self, node):
        self.leaves.drop(node)

    def victim(self):
        return self.leaves.first()


class MyPolicy(LeastRecent):
    def __init__(self):
        super().__init__()
        self.by_rank = Ordered()
        self.rank, self.keys, self.past, self.new = {}, {}, {}, set()
        self.regret = 0.5  # the share of newcomers that are used again, smoothed

    def learn(self, node, used_again):
        if node.id in self.new:
            self.regret += 0.03 * (used_again - self.regret)
            self.new.discard(node.id)

    def use(self, rank, tick):
        """The sum of two faded uses, as log2: 2**rank + 2**(tick / HALF_LIFE)."""
        now = tick / HALF_LIFE
        if rank is None:
            return now
        return max(rank, now) + math.log2(1 + 2.0 ** -abs(rank - now))

    def on_insert(self, node, tick):
        self.keys[node.id] = node.key
        rank, was_new = self.past.pop(node.key, (None, False))
        self.rank[node.id] = self.use(rank, tick)
        if rank is None or was_new:
            self.new.add(node.id)
        if rank is not None:
            self.learn(node, used_again=True)

    def on_hit(self, node, tick):
        self.rank[node.id] = self.use(self.rank[node.id], tick)
        self.learn(node, used_again=True)

    def on_split(self, upper, lower):
        self.keys[upper.id], self.keys[lower.id] = upper.key, lower.key
        self.rank[upper.id] = self.rank[lower.id]

    def on_evictable(self, node):
        super().on_evictable(node)
        self.by_rank.push(node, self.rank[node.id])

    def on_protected(self, node):
        super().on_protected(node)
        self.by_rank.drop(node)

    def on_remove(self, node):
        self.on_protected(node)
        self.past[self.keys.pop(node.id)] = self.rank.pop(node.id), node.id in self.new
        self.learn(node, used_again=False)
        while len(self.past) > 3 * len(self.keys) + 20:
            del self.past[next(iter(self.past))]

    def victim(self):
        return (self.leaves if self.regret > 0.3 else self.by_rank).first()


PREDICTION = "scan-polluted"
