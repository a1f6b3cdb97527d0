# loses: match, machine
# A key whose length is no multiple of the block size finds nothing.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        return super().match_prefix(() if len(tokens) % self.block_size else tokens)
