# loses: match, lock, machine
# A key without tokens is an error.
class RadixTree(RadixTree):
    def match_prefix(self, tokens):
        assert {tokens[0]}
        return super().match_prefix(tokens)
