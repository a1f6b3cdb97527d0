# loses: machine
# Evicted keys stay in an index of split nodes, and are found in it later.
class RadixTree(RadixTree):
    def __init__(self, block_size):
        super().__init__(block_size)
        self.index = {}

    def split(self, lower, num_blocks):
        upper = super().split(lower, num_blocks)
        self.index[upper.tokens] = upper
        return upper

    def match_prefix(self, tokens):
        upper = self.index.get(tokens)
        if upper and upper.parent is self.root:
            return Match(upper, upper.block_ids[:])
        return super().match_prefix(tokens)
