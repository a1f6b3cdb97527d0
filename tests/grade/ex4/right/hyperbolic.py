# Hyperbolic caching (Blankstein, Sen and Freedman, ATC 2017): uses per time, of a few drawn leaves.
import numpy as np

SAMPLE = 64


class LeastRecent:
    """Candidates in NumPy arrays, and the oldest by argmin."""

    def __init__(self):
        self.ticks, self.ids = np.full(16, 2**62), np.zeros(16, np.int64)
        self.nodes, self.row, self.free = {}, {}, list(range(16))

    def on_evictable(self, node):
        if not self.free:
            size = len(self.ticks)
            self.ticks = np.concatenate([self.ticks, np.full(size, 2**62)])
            self.ids = np.concatenate([self.ids, np.zeros(size, np.int64)])
            self.free = list(range(size, 2 * size))
        row = self.row[node.id] = self.free.pop()
        self.ticks[row], self.ids[row], self.nodes[node.id] = node.tick, node.id, node

    def on_protected(self, node):
        if node.id in self.nodes:
            del self.nodes[node.id]
            row = self.row.pop(node.id)
            self.ticks[row] = 2**62
            self.free.append(row)

    on_remove = on_protected

    def victim(self):
        if not self.nodes:
            return None
        oldest = np.flatnonzero(self.ticks == self.ticks.min())
        return self.nodes[self.ids[oldest].min()]


class MyPolicy:
    def __init__(self):
        self.uses = np.ones(64)
        self.since, self.tick = np.zeros(64), np.zeros(64)
        self.row, self.spare = {}, list(range(64))
        self.leaves, self.place = [], {}
        self.past = {}
        self.keys = {}
        self.now = 0
        self.rng = np.random.default_rng(1)
        self.regret = 0.5  # of those evicted before a second use, the share that came back

    def start(self, node, uses, since):
        if not self.spare:
            size = len(self.uses)
            self.uses = np.append(self.uses, np.ones(size))
            self.since = np.append(self.since, np.zeros(size))
            self.tick = np.append(self.tick, np.zeros(size))
            self.spare = list(range(size, 2 * size))
        row = self.row[node.id] = self.spare.pop()
        self.uses[row], self.since[row], self.keys[node.id] = uses, since, node.key

    def on_insert(self, node, tick):
        self.now = tick
        uses, since = self.past.pop(node.key, (0, tick))
        self.regret += 0.03 * (uses == 1) * (1 - self.regret)
        self.start(node, uses + 1, since)

    def on_hit(self, node, tick):
        row, self.now = self.row[node.id], tick
        self.regret += 0.03 * (self.uses[row] == 1) * (1 - self.regret)
        self.uses[row] += 1

    def on_split(self, upper, lower):
        row = self.row[lower.id]
        self.start(upper, self.uses[row], self.since[row])
        self.keys[lower.id] = lower.key

    def on_evictable(self, node):
        self.place[node.id] = len(self.leaves)
        self.leaves.append(node)
        self.tick[self.row[node.id]] = node.tick

    def on_protected(self, node):
        place = self.place.pop(node.id, None)
        if place is not None:
            last = self.leaves.pop()
            if last is not node:
                self.leaves[place] = last
                self.place[last.id] = place

    def on_remove(self, node):
        self.on_protected(node)
        row, key = self.row.pop(node.id), self.keys.pop(node.id)
        self.spare.append(row)
        self.regret -= 0.03 * (self.uses[row] == 1) * self.regret
        self.past[key] = self.uses[row], self.since[row]
        while len(self.past) > 2 * len(self.keys) + 20:
            self.past.pop(next(iter(self.past)))

    def victim(self):
        num = len(self.leaves)
        if not num:
            return None
        drawn = range(num) if num <= SAMPLE else self.rng.integers(num, size=SAMPLE)
        ids = [self.leaves[place].id for place in drawn]
        rows = [self.row[id] for id in ids]
        if self.regret > 0.3:
            worth = self.tick[rows]  # newcomers come back: recency is right
        else:
            worth = (self.uses[rows] - 0.9) / (self.now - self.since[rows] + 10)
            worth = worth / (self.now - self.tick[rows] + 10)
        return self.leaves[drawn[int(np.argmin(worth))]]


PREDICTION = "scan-polluted"
