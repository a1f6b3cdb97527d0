# loses: lock, machine
# A receipt can be used as often as one likes.
class RadixTree(RadixTree):
    def unlock(self, receipt):
        super().unlock([*receipt])
