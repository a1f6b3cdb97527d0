# loses: lock, machine
# A receipt is the number of receipts that are held: a later lock makes an old one valid.
class RadixTree(RadixTree):
    def __init__(self, block_size):
        super().__init__(block_size)
        self.held = {}

    def lock(self, node):
        self.held[len(self.held)] = super().lock(node)
        return len(self.held) - 1

    def unlock(self, number):
        super().unlock(self.held.pop(number))
