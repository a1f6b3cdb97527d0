"""One table from (id above, block) to rows; ids are frozen dataclasses, new for each view.

A used receipt is refused by an exception that `except Exception` does not catch.
"""

from dataclasses import dataclass

from radixlab.exercise.tree import InsertResult, Match, NodeView, TreeStats


@dataclass(frozen=True)
class Place:
    level: int
    number: int


class UsedReceipt(BaseException):
    pass


@dataclass
class Row:
    block: tuple
    block_id: int
    above: Place
    locks: int = 0
    num_below: int = 0


TOP = Place(0, 0)


class RadixTree:
    def __init__(self, block_size):
        self.block_size = block_size
        self.place_of = {}
        self.rows = {}
        self.number = 0
        self.held = set()

    def _split(self, tokens):
        return zip(*[iter(tokens)] * self.block_size, strict=False)

    def match_prefix(self, tokens):
        place, ids = TOP, ()
        found = []
        for block in self._split(tokens):
            if (place, block) not in self.place_of:
                break
            place = self.place_of[place, block]
            found.append(self.rows[place].block_id)
        return Match(place, ids + tuple(found))

    def insert(self, tokens, block_ids):
        place, own, new = TOP, [], 0
        for block, mine in zip(self._split(tokens), block_ids, strict=True):
            if (place, block) not in self.place_of:
                new += 1
                self.number += 1
                below = Place(place.level + 1, self.number)
                self.place_of[place, block] = below
                self.rows[below] = Row(block, mine, place)
                if place != TOP:
                    self.rows[place].num_below += 1
            place = self.place_of[place, block]
            own.append(self.rows[place].block_id)
        return InsertResult(
            place, own, len(own) - new, sorted({*block_ids} - {*own}, key=block_ids.index)
        )

    def _up(self, place):
        while place != TOP:
            yield self.rows[place]
            place = self.rows[place].above

    def lock(self, place):
        for row in self._up(place):
            row.locks += 1
        self.number += 1
        self.held.add(self.number)
        return {"place": place, "number": self.number}

    def unlock(self, receipt):
        if receipt["number"] not in self.held:
            raise UsedReceipt(receipt["number"])
        self.held.remove(receipt["number"])
        for row in self._up(receipt["place"]):
            row.locks -= 1

    def evict(self, num_blocks):
        gone = []
        for place in sorted(self.rows, key=lambda place: -place.level):
            row = self.rows[place]
            if len(gone) < num_blocks and not row.locks and not row.num_below:
                del self.rows[place], self.place_of[row.above, row.block]
                if row.above != TOP:
                    self.rows[row.above].num_below -= 1
                gone.append(row.block_id)
        return gone

    def walk(self):
        for place, row in sorted(self.rows.items(), key=lambda item: item[0].level):
            above = None if row.above == TOP else Place(row.above.level, row.above.number)
            yield NodeView(
                Place(place.level, place.number), above, row.block, (row.block_id,), row.locks
            )

    def stats(self):
        locks = [min(row.locks, 2) for row in self.rows.values()]
        return TreeStats(len(locks), *map(locks.count, (2, 1, 0)))
