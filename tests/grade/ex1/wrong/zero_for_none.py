# loses: reinsert, machine
# Block 0 counts as no block: as a duplicate, it is not handed back.
class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        back = [block for block in r.duplicate_block_ids if block]
        return InsertResult(r.node, r.block_ids, r.num_cached_blocks, back)
