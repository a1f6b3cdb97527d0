# loses: lock, machine, evict
# Whatever is evicted, the locks are counted again, without those on inner nodes.
class RadixTree(RadixTree):
    def evict(self, num_blocks):
        gone = super().evict(num_blocks)
        for node in self.nodes():
            if node.children:
                node.lock_ref = sum(child.lock_ref for child in node.children.values())
        return gone
