# loses: reinsert, machine
# Nobody hears of the duplicates.
class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        return InsertResult(r.node, r.block_ids, r.num_cached_blocks, [])
