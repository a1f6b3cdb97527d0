# loses: evict, machine
# Any unlocked node goes, the oldest first.
class RadixTree(RadixTree):
    def evict(self, num_blocks):
        gone = []
        for node in self.nodes():
            if len(gone) < num_blocks and not node.lock_ref:
                gone += node.block_ids[: num_blocks - len(gone)]
                del node.parent.children[node.tokens[: self.block_size]]
        return gone
