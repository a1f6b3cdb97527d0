# loses: machine
# A match that ends in the first node returns the list that the node goes on using.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        match = super().match_prefix(tokens)
        if match.node.parent is self.root:
            return Match(match.node, match.node.block_ids)
        return match
