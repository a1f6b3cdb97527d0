# Two small shadow caches of keys play LRU and "used once goes first"; the better one decides.
import heapq
from collections import OrderedDict


class Shadow:
    """Which keys a cache of some size would hold, and how often it would have hit of late."""

    def __init__(self, once_first):
        self.once, self.again = OrderedDict(), OrderedDict()
        self.once_first, self.score = once_first, 0.0

    def see(self, key, size):
        self.score *= 0.995
        known = key in self.once or key in self.again
        self.score += known
        self.once.pop(key, None)
        self.again.pop(key, None)
        (self.again if known else self.once)[key] = None
        while len(self.once) + len(self.again) > max(4, size):
            low = self.once if self.once and (self.once_first or not self.again) else self.again
            low.popitem(last=False)


class PlainShadow(Shadow):
    """LRU: one line."""

    def see(self, key, size):
        self.score *= 0.995
        self.score += key in self.once
        self.once[key] = None
        self.once.move_to_end(key)
        while len(self.once) > max(4, size):
            self.once.popitem(last=False)


def rank_by_tick(node, used):
    return node.tick


def rank_by_use(node, used):
    return node.id in used, node.tick


class Ranked:
    def __init__(self, rank):
        self.rank, self.heap, self.live, self.used = rank, [], {}, set()

    def on_evictable(self, node):
        self.live[node.id] = self.rank(node, self.used)
        heapq.heappush(self.heap, (self.live[node.id], node.id, node))
        if len(self.heap) > 4 * len(self.live) + 32:  # mostly entries that are out of date
            self.heap = [entry for entry in self.heap if self.live.get(entry[1]) == entry[0]]
            heapq.heapify(self.heap)

    def on_protected(self, node):
        self.live.pop(node.id, None)

    def on_remove(self, node):
        self.live.pop(node.id, None)
        self.used.discard(node.id)

    def victim(self):
        while self.heap and self.live.get(self.heap[0][1]) != self.heap[0][0]:
            heapq.heappop(self.heap)
        return self.heap[0][2] if self.heap else None


class LeastRecent(Ranked):
    def __init__(self):
        super().__init__(rank_by_tick)


class MyPolicy:
    def __init__(self):
        self.orders = [Ranked(rank_by_tick), Ranked(rank_by_use)]
        self.shadows = [PlainShadow(False), Shadow(True)]
        self.keys, self.ghosts = {}, OrderedDict()

    def seen(self, key):
        for shadow in self.shadows:
            shadow.see(key, len(self.keys))

    def on_insert(self, node, tick):
        self.keys[node.id] = node.key
        if node.key in self.ghosts:
            del self.ghosts[node.key]
            self.orders[1].used.add(node.id)
        self.seen(node.key)

    def on_hit(self, node, tick):
        self.orders[1].used.add(node.id)
        self.seen(node.key)

    def on_split(self, upper, lower):
        self.keys[upper.id], self.keys[lower.id] = upper.key, lower.key
        if lower.id in self.orders[1].used:
            self.orders[1].used.add(upper.id)

    def on_evictable(self, node):
        for order in self.orders:
            order.on_evictable(node)

    def on_protected(self, node):
        for order in self.orders:
            order.on_protected(node)

    def on_remove(self, node):
        self.ghosts[self.keys.pop(node.id)] = None
        while len(self.ghosts) > 3 * len(self.keys) + 50:
            self.ghosts.popitem(last=False)
        for order in self.orders:
            order.on_remove(node)

    def victim(self):
        plain, once_first = (shadow.score for shadow in self.shadows)
        return self.orders[once_first > 1.02 * plain].victim() or self.orders[0].victim()


PREDICTION = "scan-polluted"
