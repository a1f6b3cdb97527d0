# loses: order
# Right for the first thousand ticks, and upside down when they begin again at zero.
class LeastRecent(LeastRecent):
    def on_evictable(self, node):
        self.leaves.add(node, node.tick % 1024)
