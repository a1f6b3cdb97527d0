# loses: statistics, machine
# The number of blocks is counted on at every insertion, and never back.
class RadixTree(RadixTree):
    num_blocks = 0

    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        self.num_blocks += len(r.block_ids) - r.num_cached_blocks
        return r

    def stats(self):
        s = super().stats()
        cached = self.num_blocks - s.num_shared_blocks - s.num_unique_blocks
        return TreeStats(s.num_nodes, s.num_shared_blocks, s.num_unique_blocks, cached)
