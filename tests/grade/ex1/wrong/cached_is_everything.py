# loses: statistics, machine
# What is in use counts as cached too.
class RadixTree(RadixTree):
    def stats(self):
        s = super().stats()
        all_blocks = s.num_shared_blocks + s.num_unique_blocks + s.num_cached_blocks
        return TreeStats(s.num_nodes, s.num_shared_blocks, s.num_unique_blocks, all_blocks)
