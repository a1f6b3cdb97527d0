# loses: reinsert, machine
# The newest ids win.
class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        node, ids = r.node, list(block_ids)
        while node is not self.root:
            num_blocks = len(node.block_ids)
            node.block_ids, ids = ids[-num_blocks:], ids[:-num_blocks]
            node = node.parent
        return InsertResult(r.node, block_ids, r.num_cached_blocks, r.duplicate_block_ids)
