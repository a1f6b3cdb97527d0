# loses: statistics, machine
# Shared blocks count as unique as well.
class RadixTree(RadixTree):
    def stats(self):
        s = super().stats()
        used = s.num_shared_blocks + s.num_unique_blocks
        return TreeStats(s.num_nodes, s.num_shared_blocks, used, s.num_cached_blocks)
