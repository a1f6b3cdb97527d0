# loses: evict, machine
# Evicted keys are still found, until walk is called.
class RadixTree(RadixTree):
    def __init__(self, block_size):
        super().__init__(block_size)
        self.late = []

    def evict(self, num_blocks):
        self.late.append({id(self): None})
        before = {tuple(key): self.match_copy(key) for key in self.keys()}
        gone = super().evict(num_blocks)
        self.late = [before]
        return gone

    def keys(self):
        for node in self.nodes():
            tokens, up = (), node
            while up is not None:
                tokens, up = up.tokens + tokens, up.parent
            yield tokens

    def match_copy(self, tokens):
        match = super().match_prefix(tokens)
        return Match(match.node, [*match.block_ids])

    def match_prefix(self, tokens):
        for known in self.late:
            if tokens in known:
                return known[tokens]
        return super().match_prefix(tokens)

    def insert(self, tokens, block_ids):
        self.late = []
        return super().insert(tokens, block_ids)

    def walk(self):
        self.late = []
        return super().walk()
