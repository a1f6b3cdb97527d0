# loses: work
# A dictionary of all prefixes finds everything, and hashes each key once per block.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        known = {}
        for end in range(self.block_size, len(tokens) + 1, self.block_size):
            known[tokens[:end]] = end
        return super().match_prefix(tokens)
