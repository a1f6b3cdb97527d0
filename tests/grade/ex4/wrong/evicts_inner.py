# loses: safety, traces, tenant, deterministic, prediction
# The parent goes before its child.
class MyPolicy(MyPolicy):
    def victim(self):
        node = super().victim()
        return node.parent or node
