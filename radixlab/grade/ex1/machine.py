"""What scenarios are drawn from: tokens and ids of all kinds, and random runs of all methods."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, count
from typing import Any

import numpy as np

from radixlab.exercise.tree import Tokens
from radixlab.grade.ex1.oracle import PrefixModel
from radixlab.grade.ex1.scenario import Operation
from radixlab.grade.ex1.twins import LEAST, MOST

ALL = 10_000
"""More blocks than any tree here has."""
VERBS = ("insert",) * 5 + ("keep", "lock", "match", "evict", "again") + ("stats", "unlock") * 2
CLEARED_EVERY = 13
"""Calls of a random run after which the tree is emptied."""


class Draw:
    """Tokens and block ids that were not drawn before; `wide` tokens are of any size and sign."""

    def __init__(self, rng: np.random.Generator, block_size: int, wide: bool = False) -> None:
        self.rng, self.block_size = rng, block_size
        self.tokens = _wide_tokens(rng) if wide else iter((rng.permutation(20_000) + 1).tolist())
        self.free = chain([0], (rng.permutation(999) + 1).tolist(), count(1_000))
        self.home = defaultdict[Tokens, int](self.free.__next__)

    def some(self, num_tokens: int) -> Tokens:
        """Return new tokens."""
        return tuple(next(self.tokens) for _ in range(num_tokens))

    def key(self, num_blocks: int) -> Tokens:
        """Return a key of new whole blocks."""
        return self.some(num_blocks * self.block_size)

    def ids(self, tokens: Tokens) -> tuple[int, ...]:
        """Return a new block for each whole block of a key."""
        return tuple(next(self.free) for _ in range(len(tokens) // self.block_size))

    def own(self, tokens: Tokens) -> tuple[int, ...]:
        """Return the same block whenever a prefix comes again: so there are no duplicates."""
        ends = range(self.block_size, len(tokens) + 1, self.block_size)
        return tuple(self.home[tokens[:end]] for end in ends)

    def growing(self, num_blocks: int) -> list[Tokens]:
        """Return a new key's prefixes of whole blocks, the shortest first."""
        key, size = self.key(num_blocks), self.block_size
        return [key[:end] for end in range(size, len(key) + 1, size)]

    def insert(self, tokens: Tokens) -> Operation:
        """Insert a key without duplicates."""
        return "insert", tokens, self.own(tokens)

    def keep(self, receipt: int, tokens: Tokens) -> Operation:
        """Insert a key without duplicates, and lock it."""
        return "keep", receipt, tokens, self.own(tokens)

    def offer(self, tokens: Tokens) -> Operation:
        """Insert a key with new blocks."""
        return "insert", tokens, self.ids(tokens)

    def shuffled(self, operations: list[Operation]) -> list[Operation]:
        """Return them in another order."""
        return [operations[i] for i in self.rng.permutation(len(operations))]

    def ends(self, num_tokens: int) -> list[int]:
        """Return lengths below `num_tokens`: all, or those around blocks' ends and some others."""
        if num_tokens <= 16:
            return list(range(num_tokens))
        size = self.block_size
        around = {n + i for n in (0, size, 2 * size) for i in (-1, 0, 1)}
        others = self.rng.integers(num_tokens, size=6).tolist()
        return sorted(n for n in around.union(others, {num_tokens - 1}) if 0 <= n < num_tokens)


def _wide_tokens(rng: np.random.Generator) -> Iterator[int]:
    first = [0, 1, -1, -2, LEAST, MOST, 2**32, *rng.integers(2, 60_000, 20).tolist()]
    seen = set[int]()
    while True:
        small, large = rng.integers(60_000, size=300), rng.integers(LEAST, MOST, 100)
        for batch in (first, small.tolist() + large.tolist()):
            for i in rng.permutation(len(batch)).tolist():
                if batch[i] not in seen:
                    seen.add(batch[i])
                    yield batch[i]


class Machine:
    """Random calls on keys of a few blocks, of which some look alike.

    Block ids are offered again once it is certain that the tree does not hold them: a model knows,
    as long as the tree has not chosen what to evict; and now and then everything goes.
    """

    def __init__(self, draw: Draw, num_letters: int) -> None:
        self.draw, self.rng = draw, draw.rng
        self.letters = [draw.key(1) for _ in range(num_letters - 1)]
        self.letters.append((*self.letters[0][:-1], *draw.some(1)))
        self.held, self.used = list[int](), list[int]()
        self.offered = set[int]()
        self._clear()

    def run(self, length: int) -> Iterator[Operation]:
        """Yield about as many operations; half-way, somebody makes another tree."""
        for number in range(length):
            if number == length // 2:
                yield "another", self.draw.block_size + 1
            verb = str(self.rng.choice(VERBS))
            if number % CLEARED_EVERY == CLEARED_EVERY - 1:
                while self.held:
                    yield self._unlocked(-1)
                yield "evict", ALL
                self._clear()
            elif verb in ("insert", "keep", "match", "lock"):
                arguments: list[Any] = [self._key()]
                if verb in ("insert", "keep"):
                    arguments.append(self._ids(*arguments))
                    self.model.insert(*arguments)
                if verb in ("lock", "keep"):
                    self.held.append(number)
                    self.model.lock(number, arguments[0])
                    arguments.insert(0, number)
                yield (verb, *arguments)
            elif verb == "unlock" and self.held:
                yield self._unlocked(int(self.rng.integers(len(self.held))))
            elif verb == "again" and self.used:
                yield "again", int(self.rng.choice(self.used))
            elif verb == "evict":
                yield self._evicted(int(self.rng.integers(9)))
            elif verb == "stats":
                yield ("stats",)

    def _clear(self) -> None:
        self.model, self.is_certain = PrefixModel(self.draw.block_size), True

    def _key(self) -> Tokens:
        picks = self.rng.integers(len(self.letters), size=self.rng.integers(6))
        key = tuple(token for i in picks for token in self.letters[i])
        is_ragged = self.rng.random() < 0.3
        return key + self.letters[0][: self.rng.integers(self.draw.block_size)] * is_ragged

    def _ids(self, key: Tokens) -> tuple[int, ...]:
        """Offer the tree's own ids, those that it no longer has, and new ones."""
        own, free = list[int](), list[int]()
        if self.is_certain:
            own, free = self.model.match(key), sorted(self.offered - self.model.prefix_of.keys())
        found = list(self.draw.ids(key))
        for i in range(len(found)):
            if i < len(own) and self.rng.random() < 0.3:
                found[i] = own[i]
            elif free and self.rng.random() < 0.6:
                found[i] = free.pop(int(self.rng.integers(len(free))))
        self.offered |= {*found}
        return tuple(found)

    def _unlocked(self, i: int) -> Operation:
        self.used.append(self.held.pop(i))
        self.model.unlock(self.used[-1])
        return "unlock", self.used[-1]

    def _evicted(self, num_blocks: int) -> Operation:
        if num_blocks >= len(self.model.evictable()):
            self.model.evict(self.model.any_evictable(num_blocks))
        else:
            self.is_certain = self.is_certain and num_blocks == 0
        return "evict", num_blocks
