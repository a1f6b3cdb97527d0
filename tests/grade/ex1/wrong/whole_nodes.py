# loses: evict, machine
# Leaves go as a whole, and more blocks than asked for.
class RadixTree(RadixTree):
    def evict(self, num_blocks):
        gone = []
        for node in reversed(self.nodes()):
            if not node.children and not node.lock_ref and len(gone) < num_blocks:
                gone += node.block_ids
                del node.parent.children[node.tokens[: self.block_size]]
        return gone
