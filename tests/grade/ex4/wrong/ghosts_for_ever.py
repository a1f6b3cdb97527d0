# loses: safety
# What was evicted is remembered for ever.
class MyPolicy(MyPolicy):
    def on_remove(self, node):
        super().on_remove(node)
        self.all_that_went = [*getattr(self, "all_that_went", []), node.id]
