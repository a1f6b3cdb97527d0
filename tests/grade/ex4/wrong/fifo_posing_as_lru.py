# loses: order
# First in, first out: a hit changes nothing.
class LeastRecent(LeastRecent):
    def on_evictable(self, node):
        self.leaves.add(node, node.id)
