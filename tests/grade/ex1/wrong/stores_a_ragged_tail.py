# loses: match, machine
# The tokens beyond the last whole block are stored, and take one.
class RadixTree(RadixTree):
    def insert(self, tokens, block_ids):
        result = super().insert(tokens, block_ids)
        rest = tokens[len(block_ids) * self.block_size :]
        if rest:
            result.node.children[rest] = Node(result.node, rest, [999])
        return result

    def match_prefix(self, tokens):
        match = super().match_prefix(tokens)
        rest = tokens[len(match.block_ids) * self.block_size :]
        child = match.node.children.get(rest[: self.block_size - 1])
        return Match(child, match.block_ids + child.block_ids) if child else match
