# loses: lock
# The count of receipts has eight bits.
class RadixTree(RadixTree):
    def lock(self, node):
        receipt = super().lock(node)
        while node is not None:
            node.lock_ref %= 256
            node = node.parent
        return receipt
