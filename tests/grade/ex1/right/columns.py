"""Parallel lists and one dictionary, rows used again; ids are lists, new each time."""

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats


class RadixTree:
    def __init__(self, block_size):
        self.block_size = block_size
        self.above, self.block, self.id = [None], [()], [None]
        self.locks, self.num_below = [0], [0]
        self.row_of, self.free, self.used = {}, [], set()
        self.next_receipt = 0

    def match_prefix(self, tokens):
        row, ids = 0, []
        for i in range(len(tokens) // self.block_size):
            block = tokens[i * self.block_size : (i + 1) * self.block_size]
            below = self.row_of.get((row, *block))
            if below is None:
                break
            row = below
            ids.append(self.id[row])
        return Match(row, ids)

    def insert(self, tokens, block_ids):
        row, ids, cached = 0, [], 0
        for i, mine in enumerate(block_ids):
            block = tuple(tokens[i * self.block_size : (i + 1) * self.block_size])
            if (row, *block) in self.row_of:
                row = self.row_of[row, *block]
                cached += 1
            else:
                row = self.new_row(row, block, mine)
            ids.append(self.id[row])
        return InsertResult(
            row, ids, cached, [a for a, b in zip(block_ids, ids, strict=True) if a != b]
        )

    def new_row(self, above, block, block_id):
        values = (above, block, block_id, 0, 0)
        columns = (self.above, self.block, self.id, self.locks, self.num_below)
        if self.free:
            row = self.free.pop()
            for column, value in zip(columns, values, strict=True):
                column[row] = value
        else:
            row = len(self.id)
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        self.row_of[above, *block] = row
        self.num_below[above] += 1
        return row

    def lock(self, row):
        self.next_receipt += 1
        self.count(row, +1)
        return f"receipt {self.next_receipt} of {row}"

    def unlock(self, receipt):
        assert receipt not in self.used
        self.used.add(receipt)
        self.count(int(receipt.split()[-1]), -1)

    def count(self, row, by):
        while row is not None:
            self.locks[row] += by
            row = self.above[row]

    def evict(self, num_blocks):
        gone, before = [], -1
        while len(gone) < num_blocks and len(gone) > before:
            before = len(gone)
            for key, row in [*self.row_of.items()]:
                if len(gone) < num_blocks and not self.locks[row] and not self.num_below[row]:
                    del self.row_of[key]
                    self.num_below[self.above[row]] -= 1
                    self.free.append(row)
                    gone.append(self.id[row])
        return gone

    def depth(self, row):
        return 0 if row == 0 else 1 + self.depth(self.above[row])

    def walk(self):
        for row in sorted(self.row_of.values(), key=self.depth):
            above = [self.above[row]] if self.above[row] else None
            yield NodeView([row], above, self.block[row], [self.id[row]], self.locks[row])

    def stats(self):
        count = {0: 0, 1: 0, 2: 0}
        for row in self.row_of.values():
            count[min(self.locks[row], 2)] += 1
        return TreeStats(len(self.row_of), count[2], count[1], count[0])
