# loses: safety, traces, tenant, examined, deterministic, prediction
# It names nodes that are gone.
class MyPolicy(MyPolicy):
    gone = None

    def on_remove(self, node):
        super().on_remove(node)
        self.gone = node

    def victim(self):
        return self.gone or super().victim()
