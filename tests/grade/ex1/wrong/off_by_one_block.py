# loses: split, match, children, lock, machine, work
# The upper node gets one block too many where it can.
class RadixTree(RadixTree):
    def split(self, lower, num_blocks):
        return super().split(lower, min(num_blocks + 1, len(lower.block_ids) - 1))
