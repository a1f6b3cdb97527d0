# loses: safety
# Facts about nodes stay when the nodes go.
class MyPolicy(MyPolicy):
    def on_insert(self, node, tick):
        super().on_insert(node, tick)
        self.born = getattr(self, "born", {})
        self.born[node.id] = tick
