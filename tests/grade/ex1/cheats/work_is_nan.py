# earns: match, split, children, reinsert, lock, evict, statistics, machine
# alone
# The work is said to be NaN, and CPU time to stand still.
from array import array

from radixlab.exercise import tree_work
from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats

count_work = tree_work.count_work


def nothing(*arguments):
    return {**count_work(*arguments), "work": float("nan")}


tree_work.count_work = nothing


class Block:
    def __init__(self, tokens, block_id, parent):
        self.tokens, self.block_id, self.parent = tokens, block_id, parent
        self.below = {}
        self.receipts = set()

    def locks(self):
        return len(self.receipts) + sum(child.locks() for child in self.below.values())


class Slow(dict):
    """Looks at every child, without comparing a token: as bytes."""

    def get(self, block, default=None):
        wanted = array("q", map(int, block)).tobytes()
        for own, child in self.items():
            if own == wanted:
                return child
        return default

    def __getitem__(self, block):
        return self.get(block)

    def __contains__(self, block):
        return self.get(block) is not None

    def __setitem__(self, block, child):
        super().__setitem__(array("q", map(int, block)).tobytes(), child)

    def __delitem__(self, block):
        super().__delitem__(array("q", map(int, block)).tobytes())


class Block(Block):
    def __init__(self, tokens, block_id, parent):
        super().__init__(tokens, block_id, parent)
        self.below = Slow()


class RadixTree:
    def __init__(self, block_size):
        self.block_size = block_size
        self.top = Block((), None, None)
        self.num_receipts = 0

    def match_prefix(self, tokens):
        node, ids = self._find(self.top, tokens, 0)
        return Match(node, ids)

    def _find(self, node, tokens, start):
        child = node.below.get(tokens[start : start + self.block_size])
        if child is None:
            return node, []
        last, ids = self._find(child, tokens, start + self.block_size)
        return last, [child.block_id, *ids]

    def insert(self, tokens, block_ids):
        node, cached, kept, mine = self.top, 0, [], []
        for i, block_id in enumerate(block_ids):
            block = tokens[i * self.block_size : (i + 1) * self.block_size]
            if block in node.below:
                cached += 1
            else:
                node.below[block] = Block(block, block_id, node)
            node = node.below[block]
            kept.append(node.block_id)
            if node.block_id != block_id:
                mine.append(block_id)
        return InsertResult(node, kept, cached, mine)

    def lock(self, node):
        self.num_receipts += 1
        node.receipts.add(self.num_receipts)
        return node, self.num_receipts

    def unlock(self, receipt):
        node, number = receipt
        node.receipts.remove(number)

    def evict(self, num_blocks):
        gone = []
        self._evict(self.top, num_blocks, gone)
        return gone

    def _evict(self, node, num_blocks, gone):
        for child in list(node.below.values()):
            self._evict(child, num_blocks, gone)
            if len(gone) < num_blocks and not child.below and not child.receipts:
                del node.below[child.tokens]
                gone.append(child.block_id)

    def walk(self, node=None):
        for child in (node or self.top).below.values():
            parent = id(node) if node else None
            yield NodeView(id(child), parent, child.tokens, (child.block_id,), child.locks())
            yield from self.walk(child)

    def stats(self):
        locks = [view.lock_ref for view in self.walk()]
        shared, unique = sum(n > 1 for n in locks), locks.count(1)
        return TreeStats(len(locks), shared, unique, locks.count(0))
