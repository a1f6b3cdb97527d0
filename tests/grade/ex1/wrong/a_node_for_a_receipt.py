# loses: lock, machine
# A receipt is the node itself: it seems unused while another one is held.
class RadixTree(RadixTree):
    def lock(self, node):
        super().lock(node)
        return node

    def unlock(self, node):
        if node.lock_ref == 0:
            raise ValueError("not locked")
        super().unlock([node])
