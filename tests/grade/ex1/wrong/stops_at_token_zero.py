# loses: match, children, machine
# Token 0 ends a key, as it ends a text in C.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        end = tokens.index(0) if 0 in tokens else len(tokens)
        return super().match_prefix(tokens[:end])
