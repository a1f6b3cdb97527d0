# Three kinds of leaves by their uses; the one whose age counts most against its kind's return rate.
import bisect
from collections import OrderedDict


class LeastRecent:
    """A sorted list of (tick, id), kept by bisection."""

    def __init__(self):
        self.line, self.nodes = [], {}

    def on_evictable(self, node):
        self.nodes[node.id] = (node.tick, node)
        bisect.insort(self.line, (node.tick, node.id))

    def on_protected(self, node):
        if node.id in self.nodes:
            tick, _ = self.nodes.pop(node.id)
            self.line.pop(bisect.bisect_left(self.line, (tick, node.id)))

    on_remove = on_protected

    def victim(self):
        return self.nodes[self.line[0][1]][1] if self.line else None


class MyPolicy:
    def __init__(self):
        self.queues = [LeastRecent() for _ in range(3)]
        self.kind, self.key, self.past = {}, {}, OrderedDict()
        self.spans, self.hits = [8.0] * 3, [4.0] * 3
        self.now = 0

    def ended(self, kind, hit):
        self.spans[kind] += 1
        self.hits[kind] += hit
        if self.spans[kind] > 1000:
            self.spans[kind] /= 2
            self.hits[kind] /= 2

    def on_insert(self, node, tick):
        self.now, self.key[node.id] = tick, node.key
        before = self.past.pop(node.key, None)
        if before is not None:
            self.hits[before] += 1
        self.kind[node.id] = 0 if before is None else min(before + 1, 2)

    def on_hit(self, node, tick):
        self.now, kind = tick, self.kind[node.id]
        self.ended(kind, 1)
        self.kind[node.id] = min(kind + 1, 2)

    def on_split(self, upper, lower):
        self.kind[upper.id] = self.kind[lower.id]
        self.key[upper.id], self.key[lower.id] = upper.key, lower.key

    def on_evictable(self, node):
        self.queues[self.kind[node.id]].on_evictable(node)

    def on_protected(self, node):
        for queue in self.queues:
            queue.on_protected(node)

    def on_remove(self, node):
        self.on_protected(node)
        kind, key = self.kind.pop(node.id), self.key.pop(node.id)
        self.ended(kind, 0)
        self.past[key] = kind
        self.past.move_to_end(key)
        while len(self.past) > 4 * len(self.key) + 64:
            self.past.popitem(last=False)

    def victim(self):
        heads = []
        for kind, queue in enumerate(self.queues):
            if queue.line:
                tick, _ = queue.line[0]
                rate = self.hits[kind] / self.spans[kind]
                heads.append(((self.now - tick + 1) / rate**2, kind))
        return self.queues[max(heads)[1]].victim() if heads else None


PREDICTION = "scan-polluted"
