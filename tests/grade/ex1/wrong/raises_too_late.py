# loses: lock, machine
# It raises at the second unlock, after the locks were taken off again.
class RadixTree(RadixTree):
    def lock(self, node):
        return [*super().lock(node), "new"]

    def unlock(self, receipt):
        super().unlock(receipt[:1])
        receipt.remove("new")
