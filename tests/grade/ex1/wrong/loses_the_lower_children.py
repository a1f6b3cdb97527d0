# loses: split, lock, machine
# What hung below the node that is split is forgotten.
class RadixTree(RadixTree):
    def split(self, lower, num_blocks):
        upper = super().split(lower, num_blocks)
        lower.children = {}
        return upper
