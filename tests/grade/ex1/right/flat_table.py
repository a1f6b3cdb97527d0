"""No nodes at all: one dictionary from (number of the block above, tokens) to a row."""

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats


class RadixTree:
    def __init__(self, block_size):
        self.block_size = block_size
        self.number_of = {}  # (number above, tokens) -> number
        self.rows = {0: None}  # number -> [number above, tokens, block id, locks, blocks below]
        self.next = 1
        self.open = {}

    def _blocks(self, tokens):
        size = self.block_size
        return (tokens[i : i + size] for i in range(0, len(tokens) - size + 1, size))

    def match_prefix(self, tokens):
        above, ids = 0, []
        for block in self._blocks(tokens):
            number = self.number_of.get((above, block))
            if number is None:
                break
            ids.append(self.rows[number][2])
            above = number
        return Match(above, tuple(ids))

    def insert(self, tokens, block_ids):
        above, kept, cached = 0, [], 0
        for block, mine in zip(self._blocks(tokens), block_ids, strict=True):
            number = self.number_of.setdefault((above, block), self.next)
            if number == self.next:
                self.next += 1
                self.rows[number] = [above, block, mine, 0, 0]
                if above:
                    self.rows[above][4] += 1
            else:
                cached += 1
            kept.append(self.rows[number][2])
            above = number
        own = set(kept)
        return InsertResult(above, kept, cached, [b for b in block_ids if b not in own])

    def _path(self, number):
        while number:
            row = self.rows[number]
            yield row
            number = row[0]

    def lock(self, number):
        for row in self._path(number):
            row[3] += 1
        receipt = len(self.open)
        self.open[receipt] = number
        return receipt

    def unlock(self, receipt):
        number = self.open[receipt]
        if number is None:
            raise LookupError(f"receipt {receipt} was used")
        self.open[receipt] = None
        for row in self._path(number):
            row[3] -= 1

    def evict(self, num_blocks):
        gone = []
        for number in sorted(self.rows, reverse=True):  # what is below has a higher number
            if len(gone) == num_blocks:
                break
            if number and not self.rows[number][3] and not self.rows[number][4]:
                above, block, block_id, _, _ = self.rows.pop(number)
                del self.number_of[above, block]
                if above:
                    self.rows[above][4] -= 1
                gone.append(block_id)
        return gone

    def walk(self):
        for number, row in self.rows.items():
            if number:
                yield NodeView(number, row[0] or None, row[1], [row[2]], row[3])

    def stats(self):
        count = [0, 0, 0]
        for number, row in self.rows.items():
            if number:
                count[min(row[3], 2)] += 1
        return TreeStats(sum(count), count[2], count[1], count[0])
