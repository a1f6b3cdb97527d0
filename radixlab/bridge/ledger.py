"""What a right tree would answer, kept beside a tree that may be wrong.

A ledger has no nodes. It knows each cached prefix by a number, given to the pair of the prefix one
block shorter and the tokens of the last block, and its block id. It is slow and obvious, which is
what one wants of a witness.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from radixlab.exercise.tree import Tokens

ROOT = 0


class Ledger:
    """Cached prefixes, their blocks and their locks.

    >>> ledger = Ledger(block_size=2)
    >>> ledger.insert((1, 2, 3, 4), [7, 8])
    ([7, 8], 0, [])
    >>> ledger.insert((1, 2, 5, 6), [9, 10])
    ([7, 10], 1, [9])
    >>> ledger.match((1, 2, 3, 4, 5))
    [7, 8]
    """

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size
        self.block_of: dict[int, int] = {}
        """The block of each cached prefix."""
        self.lock_refs: Counter[int] = Counter()
        """Locks held at or below each prefix."""
        self._num_locked = 0
        self._prefix_of: dict[int, int] = {}
        self._below: Counter[int] = Counter()
        """Cached prefixes one block longer than each prefix."""
        self._number: dict[tuple[int, Tokens], int] = {}
        self._pair: dict[int, tuple[int, Tokens]] = {}
        self._next = ROOT + 1

    def match(self, tokens: Tokens) -> list[int]:
        """Return the blocks of the longest cached prefix."""
        return [self.block_of[number] for number in self._cached(tokens)]

    def insert(self, tokens: Tokens, block_ids: Sequence[int]) -> tuple[list[int], int, list[int]]:
        """Return the tree's blocks, how many were cached, and the caller's duplicates."""
        numbers = self._cached(tokens)
        num_cached, above = len(numbers), numbers[-1] if numbers else ROOT
        blocks = list(self._blocks(tokens))
        for block, block_id in list(zip(blocks, block_ids, strict=True))[num_cached:]:
            numbers.append(self._add(above, block, block_id))
            above = numbers[-1]
        kept = [self.block_of[number] for number in numbers]
        pairs = zip(block_ids, kept, strict=True)
        return kept, num_cached, [mine for mine, own in pairs if mine != own]

    def lock(self, tokens: Tokens) -> list[int]:
        """Hold the longest cached prefix; return the receipt for `unlock`."""
        receipt = self._cached(tokens)
        self._num_locked += sum(not self.lock_refs[number] for number in receipt)
        self.lock_refs.update(receipt)
        return receipt

    def unlock(self, receipt: list[int]) -> None:
        """Let go of what a receipt holds."""
        self.lock_refs.subtract(receipt)
        self._num_locked -= sum(not self.lock_refs[number] for number in receipt)

    @property
    def num_evictable(self) -> int:
        """Cached prefixes that no lock protects."""
        return len(self.block_of) - self._num_locked

    def why_not(self, gone: Sequence[int], num_blocks: int) -> str | None:
        """Say why these blocks do not answer `evict(num_blocks)`; None if they do."""
        due = min(num_blocks, self.num_evictable)
        if len(gone) != due:
            return f"returned {_blocks(len(gone))}; it should return {due}"
        below, seen = self._below.copy(), set[int]()
        for block_id in gone:
            number = self._prefix_of.get(block_id)
            if number is None:
                return f"returned block {block_id}, which the tree does not have"
            if block_id in seen:
                return f"returned block {block_id} twice"
            seen.add(block_id)
            if self.lock_refs[number]:
                return f"returned block {block_id}, which is locked"
            below[self._pair[number][0]] -= 1
        for block_id in gone:
            if below[self._prefix_of[block_id]]:
                return f"returned block {block_id}, but kept a block that follows it"
        return None

    def remove(self, gone: Sequence[int]) -> None:
        """Forget evicted blocks."""
        for block_id in gone:
            number = self._prefix_of.pop(block_id)
            pair = self._pair.pop(number)
            del self.block_of[number], self._number[pair]
            self._below[pair[0]] -= 1
            for counts in (self.lock_refs, self._below):
                if not counts[number]:
                    del counts[number]

    def rows(self) -> dict[int, tuple[int | None, Tokens, int]]:
        """Return, by block id: the block above it, its tokens and its lock count."""
        rows = {}
        for number, block_id in self.block_of.items():
            above, tokens = self._pair[number]
            rows[block_id] = (self.block_of.get(above), tokens, self.lock_refs[number])
        return rows

    def _blocks(self, tokens: Tokens) -> Iterator[Tokens]:
        size = self.block_size
        return (tokens[end - size : end] for end in range(size, len(tokens) + 1, size))

    def _cached(self, tokens: Tokens) -> list[int]:
        numbers, above = [], ROOT
        for block in self._blocks(tokens):
            number = self._number.get((above, block))
            if number is None:
                break
            numbers.append(number)
            above = number
        return numbers

    def _add(self, above: int, block: Tokens, block_id: int) -> int:
        number, self._next = self._next, self._next + 1
        self._number[above, block] = number
        self._pair[number] = (above, block)
        self.block_of[number] = block_id
        self._prefix_of[block_id] = number
        self._below[above] += 1
        return number


def _blocks(num: int) -> str:
    return f"{num} block{'' if num == 1 else 's'}"
