# loses: examined
# Victims cost nothing: all candidates are sorted whenever a node goes.
class MyPolicy(MyPolicy):
    def on_remove(self, node):
        super().on_remove(node)
        for leaves in self.leaves.values():
            leaves.heap = sorted(entry for entry in leaves.heap if entry[1] in leaves.rank)
