# loses: reinsert, machine
# The result says the caller's ids, which are not the tree's.
class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        return InsertResult(r.node, block_ids, r.num_cached_blocks, r.duplicate_block_ids)
