# loses: reinsert, machine
# The tree's own ids come back as duplicates too, and would be freed.
class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        cached = r.num_cached_blocks
        return InsertResult(r.node, r.block_ids, cached, block_ids[:cached])
