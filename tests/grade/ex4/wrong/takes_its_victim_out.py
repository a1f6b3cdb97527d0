# loses: order
# The victim leaves the heap when it is named, though a part of it may stay.
class LeastRecent:
    def __init__(self):
        self.heap, self.live = [], {}

    def on_evictable(self, node):
        self.live[node.id] = node.tick
        heapq.heappush(self.heap, (node.tick, node.id, node))

    def on_protected(self, node):
        self.live.pop(node.id, None)

    on_remove = on_protected

    def victim(self):
        while self.heap:
            tick, id, node = heapq.heappop(self.heap)
            if self.live.get(id) == tick:
                return node
