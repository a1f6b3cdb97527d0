# loses: lock, machine
# The root has no lock.
class RadixTree(RadixTree):
    def lock(self, node):
        if node is self.root:
            raise ValueError("nothing to lock")
        return super().lock(node)
