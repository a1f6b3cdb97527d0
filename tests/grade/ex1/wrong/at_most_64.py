# loses: evict
# One call takes 64 blocks at most.
class RadixTree(RadixTree):
    def evict(self, num_blocks):
        return super().evict(min(num_blocks, 64))
