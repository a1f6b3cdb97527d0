# earns: nothing
# alone
# Lists that never end, nodes without end, numbers of a million digits.
from itertools import count, repeat

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats


class RadixTree:
    def __init__(self, block_size):
        pass

    def match_prefix(self, tokens):
        return Match(self, count())

    def insert(self, tokens, block_ids):
        return InsertResult(self, repeat(0), 10**1_000_000, repeat(10**100_000))

    def lock(self, node):
        return [node]

    def unlock(self, receipt):
        receipt.pop()

    def evict(self, num_blocks):
        return repeat(7)

    def walk(self):
        for n in count():
            yield NodeView(n, n - 1 if n else None, range(10**9), count(), n)

    def stats(self):
        return TreeStats(*repeat(float("nan"), 4))
