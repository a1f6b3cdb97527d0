# loses: evict, machine
# The first block of a leaf goes, and the last ones stay.
class RadixTree(RadixTree):
    def evict(self, num_blocks):
        for node in self.nodes():
            node.block_ids.reverse()
        gone = super().evict(num_blocks)
        for node in self.nodes():
            node.block_ids.reverse()
        return gone
