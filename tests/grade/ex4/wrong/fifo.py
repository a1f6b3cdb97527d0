# loses: traces, tenant, prediction
# First in, first out.
class MyPolicy(LeastRecent):
    def on_evictable(self, node):
        self.leaves.add(node, node.id)
