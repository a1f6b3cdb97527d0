# ARC (Megiddo and Modha, FAST 2003): two lists, their ghosts, and a share that the ghosts move.
from collections import OrderedDict
from heapq import heapify, heappop, heappush


class LeastRecent:
    """Candidates in a heap; an entry is alive while the table points to it."""

    def __init__(self):
        self.entries, self.alive = [], {}

    def on_evictable(self, node):
        entry = self.alive[node.id] = [node.tick, node.id, node]
        heappush(self.entries, entry)

    def on_protected(self, node):
        self.alive.pop(node.id, None)
        if len(self.entries) > 2 * len(self.alive) + 20:
            self.entries = list(self.alive.values())
            heapify(self.entries)

    on_remove = on_protected

    def victim(self):
        while self.entries and self.alive.get(self.entries[0][1]) is not self.entries[0]:
            heappop(self.entries)
        return self.entries[0][2] if self.entries else None


class MyPolicy:
    def __init__(self):
        self.recent, self.frequent = LeastRecent(), LeastRecent()
        self.facts = {}  # node id -> [key, seen twice]
        self.num_recent = 0
        self.lost_recent, self.lost_frequent = OrderedDict(), OrderedDict()
        self.share = 0.5  # of the nodes that may be recent ones

    def on_insert(self, node, tick):
        key, again = node.key, True
        num_recent, num_frequent = len(self.lost_recent), len(self.lost_frequent)
        size = max(1, len(self.facts))
        if key in self.lost_recent:
            del self.lost_recent[key]
            self.share = min(1.0, self.share + max(1, num_frequent / num_recent) / size)
        elif key in self.lost_frequent:
            del self.lost_frequent[key]
            self.share = max(0.0, self.share - max(1, num_recent / num_frequent) / size)
        else:
            again = False
            self.num_recent += 1
        self.facts[node.id] = [key, again]

    def on_hit(self, node, tick):
        facts = self.facts[node.id]
        self.num_recent -= not facts[1]
        facts[1] = True

    def on_split(self, upper, lower):
        again = self.facts[lower.id][1]
        self.facts[lower.id][0] = lower.key
        self.facts[upper.id] = [upper.key, again]
        self.num_recent += not again

    def on_evictable(self, node):
        (self.frequent if self.facts[node.id][1] else self.recent).on_evictable(node)

    def on_protected(self, node):
        self.recent.on_protected(node)
        self.frequent.on_protected(node)

    def on_remove(self, node):
        self.on_protected(node)
        key, again = self.facts.pop(node.id)
        self.num_recent -= not again
        ghosts = self.lost_frequent if again else self.lost_recent
        ghosts[key] = None
        ghosts.move_to_end(key)
        while len(ghosts) > 2 * len(self.facts) + 20:
            ghosts.popitem(last=False)

    def victim(self):
        recent, frequent = self.recent.victim(), self.frequent.victim()
        if self.num_recent > self.share * len(self.facts):
            return recent or frequent
        return frequent or recent


PREDICTION = "scan-polluted"
