# LHD (Beckmann, Chen and Cidon, NSDI 2018) in small: hits to expect, by uses before and by age.
import heapq

import numpy as np

NUM_KINDS, NUM_AGES = 3, 12


class LeastRecent:
    """Buckets by tick, and a heap of the ticks that have one."""

    def __init__(self):
        self.buckets, self.ticks, self.where = {}, [], {}

    def on_evictable(self, node):
        tick = self.where[node.id] = node.tick
        if tick not in self.buckets:
            self.buckets[tick] = {}
            heapq.heappush(self.ticks, tick)
        self.buckets[tick][node.id] = node

    def on_protected(self, node):
        if node.id in self.where:
            del self.buckets[self.where.pop(node.id)][node.id]

    on_remove = on_protected

    def victim(self):
        while self.ticks:
            bucket = self.buckets[self.ticks[0]]
            if bucket:
                return bucket[min(bucket)]
            del self.buckets[heapq.heappop(self.ticks)]
        return None


class MyPolicy:
    def __init__(self):
        self.queues = [LeastRecent() for _ in range(NUM_KINDS)]
        self.ends = np.ones((NUM_KINDS, NUM_AGES))
        self.hits = np.full((NUM_KINDS, NUM_AGES), 0.5)
        self.kind, self.since, self.key, self.past = {}, {}, {}, {}
        self.now = 0

    def age(self, since):
        return min(NUM_AGES - 1, max(0, self.now - since).bit_length())

    def ended(self, kind, since, hit):
        age = self.age(since)
        self.hits[kind, age] += hit
        self.ends[kind, age] += 1
        if self.ends.sum() > 600:
            self.ends *= 0.6
            self.hits *= 0.6

    def on_insert(self, node, tick):
        self.now = tick
        self.key[node.id], self.since[node.id], self.kind[node.id] = node.key, tick, 0
        if node.key in self.past:
            kind, since = self.past.pop(node.key)
            self.ended(kind, since, True)
            self.kind[node.id] = min(kind + 1, NUM_KINDS - 1)

    def on_hit(self, node, tick):
        self.now, kind = tick, self.kind[node.id]
        self.ended(kind, self.since[node.id], True)
        self.kind[node.id] = min(kind + 1, NUM_KINDS - 1)
        self.since[node.id] = tick

    def on_split(self, upper, lower):
        for facts in (self.kind, self.since):
            facts[upper.id] = facts[lower.id]
        self.key[upper.id], self.key[lower.id] = upper.key, lower.key

    def on_evictable(self, node):
        self.queues[self.kind[node.id]].on_evictable(node)

    def on_protected(self, node):
        for queue in self.queues:
            queue.on_protected(node)

    def on_remove(self, node):
        self.on_protected(node)
        self.past[self.key.pop(node.id)] = self.kind.pop(node.id), self.since.pop(node.id)
        while len(self.past) > 4 * len(self.key) + 40:
            kind, since = self.past.pop(next(iter(self.past)))
            self.ended(kind, since, False)

    def victim(self):
        later_hits = np.cumsum(self.hits[:, ::-1], axis=1)[:, ::-1]
        widths = 2.0 ** np.arange(NUM_AGES)
        waiting = np.cumsum((self.ends * widths)[:, ::-1], axis=1)[:, ::-1]
        best = None
        for kind, queue in enumerate(self.queues):
            node = queue.victim()
            if node:
                age = self.age(self.since[node.id])
                worth = later_hits[kind, age] / waiting[kind, age], node.id
                if best is None or worth < best[0]:
                    best = worth, node
        return best and best[1]


PREDICTION = "scan-polluted"
