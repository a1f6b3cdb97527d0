# earns: safety, order, traces, tenant, examined, prediction
# Where a node lies in memory decides among those of nearly the same age.
class MyPolicy(MyPolicy):
    def on_evictable(self, node):
        self.leaves[node.id in self.used].add(node, (node.tick // 8, id(node) // 64 % 7))
