"""Hidden scenarios, one family per item: the shapes are fixed, the numbers drawn.

A family has no corner of another item's in it, as far as that can be, so that one fault costs one
item: only `match` has keys that end inside a block, only `children` asks for both of two blocks
with the same first token, and only `reinsert` and the machine offer blocks that are not needed.
"""

from collections.abc import Iterator

import numpy as np

from radixlab.exercise.tree import Tokens
from radixlab.grade.ex1.scenario import Operation, Scenario

BLOCK_SIZES = (2, 3, 4)
NUM_RUNS, RUN_LENGTH = 30, 30
"""Of the state machine."""
ALL = 100
"""More blocks than any tree here has."""


class Draw:
    """Tokens and block ids that were not drawn before."""

    def __init__(self, rng: np.random.Generator, block_size: int) -> None:
        self.block_size = block_size
        self.tokens = iter(rng.permutation(5_000).tolist())
        self.free = iter(rng.permutation(1_000).tolist())
        self.home: dict[Tokens, int] = {}

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
        for end in ends:
            if tokens[:end] not in self.home:
                self.home[tokens[:end]] = next(self.free)
        return tuple(self.home[tokens[:end]] for end in ends)

    def insert(self, tokens: Tokens) -> Operation:
        """Insert a key without duplicates."""
        return "insert", tokens, self.own(tokens)

    def keep(self, receipt: int, tokens: Tokens) -> Operation:
        """Insert a key without duplicates, and lock it."""
        return "keep", receipt, tokens, self.own(tokens)

    def offer(self, tokens: Tokens) -> Operation:
        """Insert a key with new blocks."""
        return "insert", tokens, self.ids(tokens)


def _scenarios(draw: Draw, judged: str, *runs: list[Operation]) -> Iterator[Scenario]:
    for operations in runs:
        yield Scenario(draw.block_size, tuple(operations), frozenset(judged.split()))


def match_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Keys that end or part anywhere: at a block's end, inside one, before the first."""
    yield Scenario(2, (("match", (1, 2)), ("match", ())), frozenset({"found"}))
    for size in BLOCK_SIZES:
        draw = Draw(rng, size)
        key, other, over = draw.key(3), draw.key(2), draw.some(size - 1)
        wanted = [key, key + over, key + draw.key(1), other, draw.key(1)]
        wanted += [key[:end] for end in range(len(key))]
        wanted += [key[:end] + draw.some(len(key) - end) for end in range(len(key))]
        first, second = draw.insert(key), draw.insert(other)
        for tokens in wanted:
            found = [("match", tokens), ("match", key), ("match", other)]
            yield from _scenarios(draw, "found", [first, second, *found])
        ragged = draw.insert(key + over)
        longer = ("match", key + over + draw.some(1))
        yield from _scenarios(draw, "found", [ragged, longer], [draw.insert(over), longer])


def split_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Keys that part at a block's end, and are all found; and that part inside a block.

    Of the latter only the cut is judged: whether both are found is what `children` asks.
    """
    for size in BLOCK_SIZES:
        draw = Draw(rng, size)
        for shared in (1, 2):
            key, tail, more = draw.key(3), draw.key(1), draw.key(1)
            head = key[: shared * size]
            first, below = draw.insert(key), draw.insert(key + more)
            other, third = draw.insert(head + tail), draw.insert(key[:size] + draw.key(2))
            found: list[Operation] = [("match", key + more), ("match", head + tail)]
            yield from _scenarios(
                draw,
                "found cached shape",
                [first, other, ("match", key), ("match", head + tail)],
                [first, ("match", head), ("match", key)],
                [first, draw.insert(head), ("match", key)],
                [first, below, other, *found],
                [first, below, other, third, *found, ("match", third[1])],
            )
            for inside in range(1, size):
                cut = key[: shared * size + inside]
                parting = draw.insert(cut + draw.some(2 * size - inside))
                again = draw.insert(key[: (shared + 1) * size] + draw.key(1))
                yield from _scenarios(draw, "found cached shape", [first, parting])
                yield from _scenarios(draw, "cached", [first, ("match", cut), again])


def children_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Blocks that differ in one token, or in the order of their tokens, or only when read aloud."""
    for size in BLOCK_SIZES:
        draw = Draw(rng, size)
        for above in ((), draw.key(2)):
            block, tail = draw.key(1), draw.key(1)
            twins = [block[:i] + draw.some(1) + block[i + 1 :] for i in range(size)]
            twins.append(block[1:] + block[:1])
            pairs = [(block, twin) for twin in twins]
            pairs.append(((1, 23, *block[2:]), (12, 3, *block[2:])))
            for one, other in pairs:
                keys = [above + one + tail, above + other + tail]
                inserts = [draw.insert(key) for key in keys]
                found: list[Operation] = [("match", key) for key in keys]
                yield from _scenarios(draw, "found", [*inserts, *found])
            everyone = [draw.insert(above + one + tail) for one in (block, *twins)]
            found = [("match", key) for _, key, _ in everyone]
            yield from _scenarios(draw, "found", [*everyone, *found])


def reinsert_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Offer a key again, or a longer one: with other blocks, the tree's own, and some of each."""
    for size in BLOCK_SIZES:
        draw = Draw(rng, size)
        key = draw.key(3)
        longer = key + draw.key(2)
        first, own = draw.insert(key), draw.ids(longer)
        ids = first[2]
        offers = [
            [draw.offer(key)],
            [first],
            [("insert", key, ids[:1] + draw.ids(key)[1:])],
            [("insert", key, draw.ids(key)[:1] + ids[1:])],
            [draw.offer(longer), draw.offer(key)],
            [("insert", longer, ids + own[3:]), ("insert", longer, own)],
            [draw.offer(key), draw.offer(key)],
        ]
        for offer in offers:
            yield from _scenarios(draw, "found kept duplicates", [first, *offer, ("match", longer)])


def lock_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Locks on leaves and inner nodes, splits below and above them, receipts used twice."""
    for size in BLOCK_SIZES:
        draw = Draw(rng, size)
        key, more = draw.key(3), draw.key(2)
        first, held, below = draw.insert(key), draw.keep(0, key), draw.keep(1, key + more)
        for shared in (1, 2):
            head = key[: shared * size]
            cut, parting = ("match", head), draw.insert(head + draw.key(2))
            branch = draw.keep(1, head + draw.key(1))
            free, free_1, lock = ("unlock", 0), ("unlock", 1), ("lock", 2, head)
            again, nowhere = ("again", 0), ("lock", 0, draw.key(1))
            yield from _scenarios(
                draw,
                "locks",
                [held, free],
                [held, draw.keep(1, key), free_1, free],
                [first, below, free_1],
                [held, cut, free],
                [held, parting, free],
                [held, below, cut, parting, free, free_1],
                [held, branch, lock, free, free_1, ("unlock", 2)],
                [first, lock, parting, ("unlock", 2)],
                [first, nowhere, free, again],
                [held, free, again],
                [held, below, free, again, free_1],
                [held, free, draw.keep(2, key), again, ("unlock", 2)],
                [held, cut, free, again],
            )


def evict_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Trees that grew at their ends, without a split; eviction of some, all, none, and again."""
    for size in BLOCK_SIZES:
        draw = Draw(rng, size)
        stem = draw.key(2)
        left, right = stem + draw.key(1), stem + draw.key(3)
        top = left + draw.key(1)
        keys = (stem, left, right, top)
        grown = [draw.insert(key) for key in keys]
        found: list[Operation] = [("match", key) for key in (top, right)]
        every, some = ("evict", ALL), [("evict", int(n)) for n in rng.integers(1, 4, 6)]
        held = [draw.keep(n, key) for n, key in enumerate(keys)]
        yield from _scenarios(
            draw,
            "found",
            [grown[0], ("evict", 1), *found],
            [grown[0], every, *found],
            [*grown, ("evict", 0), *found],
            [*grown, every, every, *found],
            [*grown, *some, *found, every],
            [*grown, *[("evict", 1)] * 9, *found],
            [*grown, *some[:2], *grown, *found, every],
            [*held, every, *found],
            [*held, ("unlock", 3), ("unlock", 2), every, *found, ("unlock", 1), every, *found],
        )
        for i, key in enumerate(keys):
            locked: Operation = ("lock", 9, key)
            kept = [*grown[:i], draw.keep(9, key), *grown[i + 1 :]]
            yield from _scenarios(
                draw,
                "found",
                [*grown, locked, ("evict", 1), *found, every, *found],
                [*kept, every, every, *found, ("unlock", 9), every, *found],
            )


def stats_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Count an empty tree, one without locks, and one with two locks, one, and none."""
    yield Scenario(2, (("stats",),), frozenset())
    for size in BLOCK_SIZES:
        draw = Draw(rng, size)
        stem = draw.key(2)
        keys = [stem, stem + draw.key(3), stem + draw.key(1), draw.key(2)]
        grown = [draw.insert(key) for key in keys]
        locks: list[Operation] = [("lock", n, key) for n, key in enumerate(keys)]
        stats: Operation = ("stats",)
        yield from _scenarios(
            draw,
            "",
            [*grown, stats],
            [*grown, locks[1], stats],
            [*grown, *locks[1:3], stats, ("unlock", 1), stats],
            [*grown, *locks, stats, ("unlock", 0), ("unlock", 1), ("unlock", 2), stats],
        )


def machine_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Long random runs over few blocks, so that keys meet, part, go and come back."""
    for _ in range(NUM_RUNS):
        draw = Draw(rng, int(rng.integers(1, 5)))
        blocks = [draw.key(1) for _ in range(3)]
        run: list[Operation] = []
        held: list[int] = []
        for number in range(RUN_LENGTH):
            picks = rng.integers(3, size=rng.integers(1, 6)).tolist()
            key = tuple(token for pick in picks for token in blocks[pick])
            verb = rng.choice(["insert"] * 4 + ["keep", "lock", "match", "evict"] + ["unlock"] * 2)
            if verb == "insert":
                run.append(draw.offer(key))
            elif verb == "keep":
                run.append(("keep", number, key, draw.ids(key)))
            elif verb == "unlock" and held:
                run.append(("unlock", held.pop(int(rng.integers(len(held))))))
            elif verb == "evict":
                run.append(("evict", int(rng.integers(1, 9))))
            else:
                run.append(("lock", number, key) if verb == "lock" else ("match", key))
            if verb in ("keep", "lock"):
                held.append(number)
        yield from _scenarios(draw, "found kept cached duplicates shape contents locks", run)
