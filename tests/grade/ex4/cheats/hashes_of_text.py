# earns: safety, order, traces, tenant, examined, prediction
# Ties, and near ties, are broken by the hash of a text, which is another one in each process.
class MyPolicy(MyPolicy):
    def on_evictable(self, node):
        used = node.id in self.used
        self.leaves[used].add(node, node.tick + hash(f"{node.key}") % 9)
