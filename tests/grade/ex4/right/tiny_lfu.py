# W-TinyLFU (Einziger, Friedman and Manes, 2017): a count-min sketch of fading uses, by key.
import heapq
from collections import OrderedDict
from collections.abc import Iterator

ROWS, COLUMNS, FADE_AFTER = 4, 1 << 9, 400


class Sketch:
    """Small counters in one bytearray."""

    def __init__(self) -> None:
        self.counters, self.num_added = bytearray(ROWS * COLUMNS), 0

    def places(self, name: bytes) -> Iterator[int]:
        number = int.from_bytes(name, "little")
        for row in range(ROWS):
            number = (number * 0x9E3779B97F4A7C15 + row) & 0xFFFF_FFFF_FFFF_FFFF
            yield row * COLUMNS + (number >> 40) % COLUMNS

    def add(self, name: bytes) -> None:
        for place in self.places(name):
            self.counters[place] = min(255, self.counters[place] + 1)
        self.num_added += 1
        if self.num_added >= FADE_AFTER:
            self.num_added //= 2
            self.counters = bytearray(count >> 1 for count in self.counters)

    def __getitem__(self, name: bytes) -> int:
        return min(self.counters[place] for place in self.places(name))


class Queue:
    def __init__(self) -> None:
        self.heap: list = []
        self.live: dict = {}

    def add(self, node) -> None:
        self.live[node.id] = node.tick
        heapq.heappush(self.heap, (node.tick, node.id, node))

    def drop(self, node) -> None:
        self.live.pop(node.id, None)

    @property
    def head(self):
        while self.heap and self.live.get(self.heap[0][1]) != self.heap[0][0]:
            heapq.heappop(self.heap)
        return self.heap[0][2] if self.heap else None


class LeastRecent(Queue):
    on_evictable, on_protected, on_remove = Queue.add, Queue.drop, Queue.drop

    def victim(self):
        return self.head


class MyPolicy:
    def __init__(self) -> None:
        self.sketch = Sketch()
        self.names: dict[int, bytes] = {}
        self.used: set[int] = set()
        self.window, self.main = Queue(), Queue()
        self.share = 0.5  # of the nodes, for those that were used once
        self.lost: OrderedDict[bytes, bool] = OrderedDict()

    def on_insert(self, node, tick: int) -> None:
        name = self.names[node.id] = node.key.to_bytes(8, "little", signed=True)
        if self.sketch[name]:
            self.used.add(node.id)
        self.sketch.add(name)
        if name in self.lost:
            step = 1 / len(self.names)
            self.share += -step if self.lost.pop(name) else 2 * step
            self.share = min(1.0, max(0.02, self.share))

    def on_hit(self, node, tick: int) -> None:
        self.used.add(node.id)
        self.sketch.add(self.names[node.id])

    def on_split(self, upper, lower) -> None:
        self.names[upper.id] = self.names[lower.id]
        self.names[lower.id] = lower.key.to_bytes(8, "little", signed=True)
        if lower.id in self.used:
            self.used.add(upper.id)

    def on_evictable(self, node) -> None:
        (self.main if node.id in self.used else self.window).add(node)

    def on_protected(self, node) -> None:
        self.window.drop(node)
        self.main.drop(node)

    def queued(self, node) -> tuple[int, int]:
        return (self.window.live.get(node.id) or self.main.live[node.id]), node.id

    def on_remove(self, node) -> None:
        self.on_protected(node)
        self.lost[self.names.pop(node.id)] = node.id in self.used
        self.used.discard(node.id)
        while len(self.lost) > 2 * len(self.names) + 20:
            self.lost.popitem(last=False)

    def victim(self):
        new, old = self.window.head, self.main.head
        if new is None or old is None:
            return new or old
        if len(self.names) - len(self.used) < self.share * len(self.names):
            return min(new, old, key=lambda node: self.queued(node))
        return new if self.sketch[self.names[new.id]] <= self.sketch[self.names[old.id]] else old


PREDICTION = "scan-polluted"
