# loses: statistics, machine
# The number of nodes is counted on at every insertion, and a split brings one more.
class RadixTree(RadixTree):
    num_nodes = 0

    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        self.num_nodes += len(r.block_ids) > r.num_cached_blocks
        return r

    def evict(self, num_blocks):
        before = len(self.nodes())
        gone = super().evict(num_blocks)
        self.num_nodes -= before - len(self.nodes())
        return gone

    def stats(self):
        s = super().stats()
        blocks = s.num_shared_blocks, s.num_unique_blocks, s.num_cached_blocks
        return TreeStats(self.num_nodes, *blocks)
