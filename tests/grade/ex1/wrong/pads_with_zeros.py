# loses: match
# What is over whole blocks is filled up with zeros, and found where a block ends with them.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        return super().match_prefix(tokens + (0,) * (-len(tokens) % self.block_size))

    def insert(self, tokens, block_ids):
        return super().insert(tokens[: len(block_ids) * self.block_size], block_ids)
