# loses: split, machine
# It takes the duplicates for the cached blocks.
class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        return InsertResult(r.node, r.block_ids, len(r.duplicate_block_ids), r.duplicate_block_ids)
