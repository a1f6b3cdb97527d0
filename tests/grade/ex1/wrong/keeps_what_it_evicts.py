# loses: evict, machine
# The ids are returned, and the blocks are still found.
class RadixTree(RadixTree):
    def evict(self, num_blocks):
        free = [node for node in reversed(self.nodes()) if not node.lock_ref]
        return [block for node in free for block in reversed(node.block_ids)][:num_blocks]
