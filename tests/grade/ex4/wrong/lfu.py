# loses: traces
# Fewest uses first: fame never fades, so chats and phases are ruined.
class MyPolicy(LeastRecent):
    def __init__(self):
        self.leaves, self.uses, self.fame = Leaves(), {}, {}

    def on_insert(self, node, tick):
        self.uses[node.id] = 0

    def on_hit(self, node, tick):
        self.uses[node.id] += 1

    def on_split(self, upper, lower):
        self.uses[upper.id] = self.uses[lower.id]

    def on_evictable(self, node):
        self.leaves.add(node, (self.uses[node.id], node.tick))

    def on_remove(self, node):
        self.leaves.drop(node)
        del self.uses[node.id]
