# loses: order
# Ordered by when a node became a candidate, not by when it was used.
class LeastRecent(LeastRecent):
    now = 0

    def on_evictable(self, node):
        self.now += 1
        self.leaves.add(node, self.now)
