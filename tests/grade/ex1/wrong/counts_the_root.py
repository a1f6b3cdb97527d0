# loses: statistics, machine
# The root counts as a node.
class RadixTree(RadixTree):
    def stats(self):
        s = super().stats()
        blocks = s.num_shared_blocks, s.num_unique_blocks, s.num_cached_blocks
        return TreeStats(s.num_nodes + 1, *blocks)
