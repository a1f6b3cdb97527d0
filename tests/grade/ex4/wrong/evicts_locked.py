# loses: safety, traces, tenant, deterministic, prediction
# A candidate once is a candidate for ever: on_protected is not listened to.
class MyPolicy(MyPolicy):
    def on_protected(self, node):
        pass

    def on_remove(self, node):
        super().on_remove(node)
        for leaves in self.leaves.values():
            leaves.drop(node)
