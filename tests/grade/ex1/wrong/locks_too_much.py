# loses: lock, evict, machine
# A match that ends inside a node returns the whole node.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        match = super().match_prefix(tokens)
        node = match.node
        if len(node.children) == 1:
            (node,) = node.children.values()
        return Match(node, match.block_ids)

    def insert(self, tokens, block_ids):
        r = super().insert((), ())
        match = super().match_prefix(tokens)
        self.match_prefix, mine = lambda tokens: match, self.match_prefix
        r = super().insert(tokens, block_ids)
        self.match_prefix = mine
        return r
