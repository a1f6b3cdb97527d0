# loses: order
# Upside down.
class LeastRecent(LeastRecent):
    def on_evictable(self, node):
        self.leaves.add(node, -node.tick)
