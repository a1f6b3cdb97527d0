# loses: order
# An old entry counts again as soon as its node is a candidate again.
class LeastRecent:
    def __init__(self):
        self.heap = []

    def on_evictable(self, node):
        heapq.heappush(self.heap, (node.tick, node.id, node))

    def on_remove(self, node):
        self.gone = node

    def victim(self):
        while self.heap and not self.heap[0][2].evictable:
            heapq.heappop(self.heap)
        return self.heap[0][2] if self.heap else None
