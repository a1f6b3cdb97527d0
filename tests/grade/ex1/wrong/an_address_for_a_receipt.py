# loses: lock, machine
# A receipt is the address of an object that is gone: another receipt may get the same.
class RadixTree(RadixTree):
    def __init__(self, b):
        super().__init__(b)
        self.open = {}

    def lock(self, node):
        r = id([node])
        self.open[r] = super().lock(node)
        return r

    def unlock(self, r):
        super().unlock(self.open.pop(r))
