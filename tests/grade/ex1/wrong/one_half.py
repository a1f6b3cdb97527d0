# loses: lock, machine
# The upper half of a split node is not locked.
class RadixTree(RadixTree):
    def split(self, lower, num_blocks):
        upper = super().split(lower, num_blocks)
        upper.lock_ref = 0
        return upper
