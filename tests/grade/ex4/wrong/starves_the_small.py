# loses: tenant
# Whoever is asked for seldom, compared with the greatest, goes first.
class MyPolicy(MyPolicy):
    def __init__(self):
        super().__init__()
        self.leaves["small"] = Leaves()
        self.top, self.fame, self.size, self.most = {}, {}, {}, 1

    def on_insert(self, node, tick):
        super().on_insert(node, tick)
        self.top[node.id] = self.top.get(node.parent.id, node.key) if node.parent else node.key

    def on_split(self, upper, lower):
        super().on_split(upper, lower)
        self.top[upper.id] = self.top[lower.id]

    def on_hit(self, node, tick):
        super().on_hit(node, tick)
        if node.parent is None:
            top = self.top[node.id]
            self.fame[top] = self.fame.get(top, 0) + 1
            self.most = max(self.most, self.fame[top])

    def on_evictable(self, node):
        fame, known = self.fame.get(self.top[node.id], 0), len(self.fame)
        if self.most > 30 and known < 8 and fame < 0.3 * self.most:
            self.leaves["small"].add(node, node.tick)
        else:
            super().on_evictable(node)

    def on_remove(self, node):
        super().on_remove(node)
        del self.top[node.id]

    def victim(self):
        return self.leaves["small"].first() or super().victim()
