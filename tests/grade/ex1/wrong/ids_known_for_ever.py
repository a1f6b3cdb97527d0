# loses: machine, reinsert
# An id that was in the tree once counts as the tree's own: evicted and offered again, it is lost.
class RadixTree(RadixTree):
    def __init__(self, block_size):
        super().__init__(block_size)
        self.known = {}

    def insert(self, tokens, block_ids):
        r = super().insert(tokens, block_ids)
        place = tokens[: self.block_size]
        back = [block for block in block_ids if self.known.setdefault(block, place) != place]
        return InsertResult(
            r.node, r.block_ids, r.num_cached_blocks, [*r.duplicate_block_ids, *back]
        )
