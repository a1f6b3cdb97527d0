# loses: safety
# What is kept about the upper half of a split node is never dropped.
class MyPolicy(MyPolicy):
    def on_split(self, upper, lower):
        super().on_split(upper, lower)
        self.halves = [*getattr(self, "halves", ()), upper.key]
