# 2Q (Johnson and Shasha, VLDB 1994): a queue in, a ghost queue out, and LRU for what came back.
import heapq
import itertools


class LeastRecent:
    def __init__(self):
        self.heap, self.live, self.count = [], {}, itertools.count()

    def on_evictable(self, node):
        number = self.live[node.id] = next(self.count)
        heapq.heappush(self.heap, (self.rank(node), number, node))

    def rank(self, node):
        return node.tick, node.id

    def on_protected(self, node):
        self.live.pop(node.id, None)

    on_remove = on_protected

    def victim(self):
        while self.heap:
            _, number, node = self.heap[0]
            if self.live.get(node.id) == number:
                return node
            heapq.heappop(self.heap)
        return None


class FirstIn(LeastRecent):
    def rank(self, node):
        return node.id


class MyPolicy:
    SHARE_IN, GHOSTS = 0.25, 2.0

    def __init__(self):
        self.queue_in, self.main = FirstIn(), LeastRecent()
        self.keys, self.is_in, self.out = {}, set(), {}

    def on_insert(self, node, tick):
        self.keys[node.id] = node.key
        if self.out.pop(node.key, None) is None:
            self.is_in.add(node.id)

    def on_hit(self, node, tick):
        self.is_in.discard(node.id)

    def on_split(self, upper, lower):
        self.keys.update({upper.id: upper.key, lower.id: lower.key})
        if lower.id in self.is_in:
            self.is_in.add(upper.id)

    def on_evictable(self, node):
        (self.queue_in if node.id in self.is_in else self.main).on_evictable(node)

    def on_protected(self, node):
        self.queue_in.on_protected(node)
        self.main.on_protected(node)

    def on_remove(self, node):
        self.on_protected(node)
        self.out[self.keys.pop(node.id)] = True
        self.is_in.discard(node.id)
        for key in list(
            itertools.islice(
                self.out, max(0, len(self.out) - int(self.GHOSTS * len(self.keys)) - 20)
            )
        ):
            del self.out[key]

    def victim(self):
        full = len(self.is_in) > self.SHARE_IN * len(self.keys)
        first, then = (self.queue_in, self.main) if full else (self.main, self.queue_in)
        return first.victim() or then.victim()


PREDICTION = "scan-polluted"
