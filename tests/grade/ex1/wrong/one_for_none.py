# loses: evict, machine
# Asked for no block, it takes one.
class RadixTree(RadixTree):
    def evict(self, num_blocks):
        return super().evict(max(num_blocks, 1))
