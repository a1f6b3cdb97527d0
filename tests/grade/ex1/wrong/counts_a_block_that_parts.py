# loses: match, split, children, machine, work
# A block counts as soon as one of its tokens agrees.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        match, size = super().match_prefix(tokens), self.block_size
        rest = tokens[len(match.block_ids) * size :]
        few = match.node.children if len(match.node.children) < 9 else {}
        for child in few.values():
            if len(rest) >= size and child.tokens[0] == rest[0]:
                return Match(child, match.block_ids + child.block_ids[:1])
        return match
