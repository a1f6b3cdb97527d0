# loses: split, match, children, lock, machine, work
# The rest of the node that is split is forgotten.
class RadixTree(RadixTree):
    def split(self, lower, num_blocks):
        upper = super().split(lower, num_blocks)
        upper.children = {}
        return upper
