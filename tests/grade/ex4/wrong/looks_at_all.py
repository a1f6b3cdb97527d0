# loses: examined
# It finds the least recent by looking at every candidate.
class MyPolicy(MyPolicy):
    def victim(self):
        for leaves in self.leaves.values():
            for _, _, node in leaves.heap:
                node.tick
        return super().victim()
