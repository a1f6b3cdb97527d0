# earns: safety, order, traces, tenant, deterministic, prediction
# It reads the fields behind the properties, for all candidates, in the hooks as well.
class MyPolicy(MyPolicy):
    def on_remove(self, node):
        super().on_remove(node)
        min((node._tick for leaves in self.leaves.values() for *_, node in leaves.heap), default=0)
