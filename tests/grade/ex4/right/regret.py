# Two moving averages: of newcomers that were evicted, how many came back, and of all others.
import heapq
from dataclasses import dataclass, field


@dataclass
class Queue:
    heap: list = field(default_factory=list)
    live: dict = field(default_factory=dict)

    def push(self, node):
        self.live[node.id] = node.tick
        heapq.heappush(self.heap, (node.tick, node.id, node))

    def peek(self):
        while self.heap and self.live.get(self.heap[0][1]) != self.heap[0][0]:
            heapq.heappop(self.heap)
        return self.heap[0] if self.heap else None


class LeastRecent(Queue):
    def __init__(self):
        super().__init__()

    def on_evictable(self, node):
        self.push(node)

    def on_protected(self, node):
        self.live.pop(node.id, None)

    on_remove = on_protected

    def victim(self):
        top = self.peek()
        return top and top[2]


class MyPolicy:
    def __init__(self):
        self.new, self.known = Queue(), Queue()
        self.facts = {}  # node id -> [key, was used again, blocks]
        self.gone = {}  # key -> whether it was used again, in the order of their going
        self.regret = 0.5  # smoothed: of newcomers evicted, how many came back
        self.reuse = 0.5  # smoothed: of others, how many were used again

    def on_insert(self, node, tick):
        old = self.gone.pop(node.key, None)
        if old is True:
            self.reuse += 0.02 * (1 - self.reuse)
        elif old is False:
            self.regret += 0.02 * (1 - self.regret)
        self.facts[node.id] = [node.key, old is not None]

    def on_hit(self, node, tick):
        if self.facts[node.id][1]:
            self.reuse += 0.02 * (1 - self.reuse)
        else:
            self.regret += 0.02 * (1 - self.regret)
        self.facts[node.id][1] = True

    def on_split(self, upper, lower):
        self.facts[upper.id] = [upper.key, self.facts[lower.id][1]]
        self.facts[lower.id][0] = lower.key

    def on_evictable(self, node):
        (self.known if self.facts[node.id][1] else self.new).push(node)

    def on_protected(self, node):
        self.new.live.pop(node.id, None)
        self.known.live.pop(node.id, None)

    def on_remove(self, node):
        self.on_protected(node)
        key, used = self.facts.pop(node.id)
        if used:
            self.reuse -= 0.02 * self.reuse
        else:
            self.regret -= 0.02 * self.regret
        self.gone[key] = used
        while len(self.gone) > 3 * len(self.facts) + 50:
            del self.gone[next(iter(self.gone))]

    def victim(self):
        new, known = self.new.peek(), self.known.peek()
        if new and (not known or new < known or self.regret < 0.4 * self.reuse):
            return new[2]
        return known and known[2]


PREDICTION = "scan-polluted"
