# loses: split, lock
# A match goes fifty nodes deep, and no further.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        match = super().match_prefix(tokens)
        node, depth = match.node, 0
        while node.parent:
            node, depth = node.parent, depth + 1
        node = match.node
        block_ids = match.block_ids
        for _ in range(depth - 50):
            block_ids = block_ids[: -len(node.block_ids)]
            node = node.parent
        return Match(node, block_ids)
