"""Leaves in a doubly linked list, the least recently used first; blocks are machine words.

What refuses a used receipt is a kind of SystemExit.
"""

from array import array

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats


class UsedUp(SystemExit):
    pass


class Cell:
    def __init__(self, above, key, block_id):
        self.above, self.key, self.block_id = above, key, block_id
        self.below, self.locks = {}, 0
        self.before = self.after = None


class Chain:
    """A ring: after the head comes the oldest."""

    def __init__(self):
        self.head = Cell(None, b"", None)
        self.head.before = self.head.after = self.head

    def append(self, cell):
        cell.before, cell.after = self.head.before, self.head
        cell.before.after = cell.after.before = cell

    def remove(self, cell):
        if cell.before is not None:
            cell.before.after, cell.after.before = cell.after, cell.before
            cell.before = cell.after = None

    def __iter__(self):
        cell = self.head.after
        while cell is not self.head:
            yield cell
            cell = cell.after


class RadixTree:
    def __init__(self, block_size):
        self.block_size, self.root, self.leaves = block_size, Cell(None, b"", None), Chain()

    def keys(self, tokens):
        words = array("q", tokens)
        for i in range(0, len(words) - self.block_size + 1, self.block_size):
            yield words[i : i + self.block_size].tobytes()

    def match_prefix(self, tokens):
        cell, ids = self.root, array("l")
        for key in self.keys(tokens):
            if key not in cell.below:
                break
            cell = cell.below[key]
            ids.append(cell.block_id)
        self.touch(cell)
        return Match(cell, ids)

    def touch(self, cell):
        self.leaves.remove(cell)
        if cell is not self.root and not cell.below and not cell.locks:
            self.leaves.append(cell)

    def insert(self, tokens, block_ids):
        cell, cached, own, back = self.root, 0, array("l"), array("l")
        for key, block_id in zip(self.keys(tokens), block_ids, strict=True):
            if key in cell.below:
                cached += 1
            else:
                self.leaves.remove(cell)
                cell.below[key] = Cell(cell, key, block_id)
            cell = cell.below[key]
            own.append(cell.block_id)
            if cell.block_id != block_id:
                back.append(block_id)
        self.touch(cell)
        return InsertResult(cell, own, cached, back)

    def lock(self, cell):
        self.leaves.remove(cell)
        self.add(cell, 1)
        return [cell, "held"]

    def add(self, cell, number):
        while cell is not None:
            cell.locks += number
            cell = cell.above

    def unlock(self, receipt):
        if receipt[1] == "used":
            raise UsedUp("used")
        receipt[1] = "used"
        self.add(receipt[0], -1)
        self.touch(receipt[0])

    def evict(self, num_blocks):
        gone = array("l")
        while len(gone) < num_blocks and self.leaves.head.after is not self.leaves.head:
            cell = self.leaves.head.after
            self.leaves.remove(cell)
            gone.append(cell.block_id)
            del cell.above.below[cell.key]
            self.touch(cell.above)
        return gone

    def walk(self):
        todo = [(cell, None) for cell in self.root.below.values()]
        while todo:
            cell, above = todo.pop()
            tokens = array("q")
            tokens.frombytes(cell.key)
            yield NodeView(id(cell), above, tokens, array("l", [cell.block_id]), cell.locks)
            todo += [(child, id(cell)) for child in cell.below.values()]

    def stats(self):
        shared = unique = cached = 0
        for view in self.walk():
            shared += view.lock_ref > 1
            unique += view.lock_ref == 1
            cached += view.lock_ref == 0
        return TreeStats(shared + unique + cached, shared, unique, cached)
