# loses: lock, machine
# The node alone counts the receipt, and none above it.
class RadixTree(RadixTree):
    def lock(self, node):
        node.lock_ref += 1
        return [node]

    def unlock(self, receipt):
        receipt.pop().lock_ref -= 1
