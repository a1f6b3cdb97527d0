# loses: match, machine
# Six tokens fill two blocks of four, or so it says.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        match, size = super().match_prefix(tokens), self.block_size
        rest = tokens[len(match.block_ids) * size :]
        if 0 < len(rest) < size:
            for child in match.node.children.values():
                if child.tokens[: len(rest)] == rest:
                    return Match(child, match.block_ids + child.block_ids[:1])
        return match
