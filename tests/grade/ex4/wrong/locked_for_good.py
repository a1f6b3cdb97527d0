# loses: safety, traces, tenant, deterministic, prediction
# A leaf that was locked once is never a candidate again.
class MyPolicy(MyPolicy):
    def on_protected(self, node):
        super().on_protected(node)
        self.locked = {*getattr(self, "locked", ()), node.id}

    def on_evictable(self, node):
        if node.id not in getattr(self, "locked", ()):
            super().on_evictable(node)
