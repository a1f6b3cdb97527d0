# loses: split, machine
# It counts what is cached after the insertion.
class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        return InsertResult(r.node, r.block_ids, len(r.block_ids), r.duplicate_block_ids)
