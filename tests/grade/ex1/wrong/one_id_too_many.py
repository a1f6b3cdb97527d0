# loses: reinsert, machine
# The new blocks come back as well.
class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        mine = block_ids if r.duplicate_block_ids else []
        return InsertResult(r.node, r.block_ids, r.num_cached_blocks, mine)
