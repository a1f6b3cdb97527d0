# loses: order
# A request uses its nodes again when it ends, and no hook says so.
class LeastRecent:
    def __init__(self):
        self.heap, self.last, self.live = [], {}, set()

    def on_insert(self, node, tick):
        self.last[node.id] = tick

    def on_hit(self, node, tick):
        self.last[node.id] = tick

    def on_split(self, upper, lower):
        self.last[upper.id] = self.last[lower.id]

    def on_evictable(self, node):
        self.live.add(node.id)
        heapq.heappush(self.heap, (self.last[node.id], node.id, node))

    def on_protected(self, node):
        self.live.discard(node.id)

    def on_remove(self, node):
        self.live.discard(node.id)
        self.last.pop(node.id)

    def victim(self):
        while self.heap:
            t, id, node = self.heap[0]
            if id in self.live and self.last[id] == t:
                return node
            heapq.heappop(self.heap)
