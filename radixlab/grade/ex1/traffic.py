"""Hidden scenarios, one family per item: the shapes are fixed, the numbers drawn.

A family avoids the special cases of the other items where it can, so that one fault costs one
item: only `match` has keys that end inside a block, only `children` asks for both of two blocks
that look alike, only `reinsert` offers blocks that are not needed, and only `match` and `children`
have tokens of any size, also 0 and below. The machine has all of this. Blocks hold 1 to 64 tokens,
and the first of them has the id 0.
"""

from collections.abc import Iterator

import numpy as np

from radixlab.grade.ex1.machine import ALL, Draw, Machine
from radixlab.grade.ex1.scenario import EVERYTHING, Operation, Scenario
from radixlab.grade.ex1.twins import crowd, look_alikes

BLOCK_SIZES = (1, 2, 3, 4, 16, 64)
DEPTH = 60
"""Levels of the deep trees."""
NUM_RUNS, RUN_LENGTH = 36, 40
"""Of the state machine."""
WALK: Operation = ("walk",)


def _scenarios(draw: Draw, judged: str, *runs: list[Operation]) -> Iterator[Scenario]:
    for operations in runs:
        yield Scenario(draw.block_size, tuple(operations), frozenset(judged.split()))


def match_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Keys that end or part anywhere: at a block's end, inside one, before the first."""
    yield Scenario(2, (("match", (1, 2)), ("match", ())), frozenset({"found"}))
    for size in BLOCK_SIZES:
        draw = Draw(rng, size, wide=True)
        key, other, over = draw.key(3), draw.key(2), draw.some(size - 1)
        wanted = [key, key + over, key + draw.key(1), other, draw.key(1), over]
        wanted += [key[:end] for end in draw.ends(len(key))]
        wanted += [key[:end] + draw.some(len(key) - end) for end in draw.ends(len(key))]
        first, second = draw.insert(key), draw.insert(other)
        for tokens in wanted:
            found: list[Operation] = [("match", tokens), ("match", key), ("match", other)]
            yield from _scenarios(draw, "found", [first, second, *found])
        for pad in (0, -1, key[-1]):
            padded = draw.some(1) + (pad,) * (size - 1)
            run: list[Operation] = [("match", key + padded[:end]) for end in draw.ends(size)]
            yield from _scenarios(draw, "found", [draw.insert(key + padded), *run])
        ragged, short = draw.insert(key + over), draw.insert(over)
        longer: Operation = ("match", key + over + draw.some(1))
        alone: Operation = ("match", over + draw.some(1))
        again: list[Operation] = [("match", key), ("match", key + over)]
        yield from _scenarios(draw, "shape", [draw.insert(()), short, ragged, draw.insert(key)])
        yield from _scenarios(
            draw,
            "found",
            [ragged, longer, *again],
            [short, alone],
            [draw.insert(()), short, alone, ragged, *again, short, alone, draw.insert(key)],
        )


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
            for inside in [end for end in draw.ends(size) if end]:
                cut = key[: shared * size + inside]
                parting = draw.insert(cut + draw.some(2 * size - inside))
                again = draw.insert(key[: (shared + 1) * size] + draw.key(1))
                yield from _scenarios(draw, "found cached shape", [first, parting])
                yield from _scenarios(draw, "cached", [first, ("match", cut), again])
    yield from _deep_scenarios(rng)


def _deep_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Insert a key of many blocks in pieces: from short to long, back, and in any order."""
    for size in (1, 4):
        draw = Draw(rng, size)
        key = draw.key(DEPTH)
        pieces = [draw.insert(key[:end]) for end in range(size, len(key) + 1, size)]
        branches = [draw.insert((*tokens, *draw.key(1))) for _, tokens, _ in pieces]
        found: list[Operation] = [("match", tokens) for _, tokens, _ in branches]
        yield from _scenarios(
            draw,
            "found cached shape",
            [*pieces, *branches, ("match", key), *found, WALK],
            [*reversed(pieces), *reversed(branches), ("match", key), *found, WALK],
            [*draw.shuffled(pieces + branches), ("match", key), *found, WALK],
        )


def children_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Blocks that look alike, as siblings and inside nodes; and a crowd of siblings."""
    for size in BLOCK_SIZES:
        draw = Draw(rng, size, wide=True)
        for above, tail, part in ((), (), 1), (draw.key(2), draw.key(1), 3):
            alike = look_alikes(rng, size)[::part]
            siblings = draw.shuffled([draw.insert(above + block + tail) for block in alike])
            found: list[Operation] = [("match", key) for _, key, _ in siblings]
            yield from _scenarios(draw, "found", [*siblings, *found])
        block, *others = look_alikes(rng, size)[4::4]
        runs: list[Operation] = []
        for other in others:
            head = draw.key(1)
            runs += [draw.insert(head + block + draw.key(1)), ("match", head + other)]
        yield from _scenarios(draw, "found", runs)
    draw = Draw(rng, 2)
    siblings = [draw.insert(block) for block in crowd(rng, 2_000)]
    yield from _scenarios(draw, "found", [*siblings, *[("match", key) for _, key, _ in siblings]])


def reinsert_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Offer a key again, or a longer one: with other blocks, the tree's own, and some of each."""
    for size in BLOCK_SIZES:
        draw = Draw(rng, size)
        key, other = draw.key(3), draw.key(2)
        longer = key + draw.key(2)
        own, first = draw.ids(longer), draw.insert(key)
        ids, back = first[2], draw.ids(key)
        mixed = tuple(a if i % 2 else b for i, (a, b) in enumerate(zip(ids, own, strict=False)))
        offers: list[list[Operation]] = [
            [draw.offer(key)],
            [first],
            [("insert", key, ids[:1] + draw.ids(key)[1:])],
            [("insert", key, draw.ids(key)[:1] + ids[1:])],
            [("insert", key, mixed)],
            [draw.offer(longer), draw.offer(key)],
            [("insert", longer, ids + own[3:]), ("insert", longer, own)],
            [draw.offer(key), draw.offer(key)],
            # Ids that came back are offered again, and kept for another key.
            [("insert", key, back), ("insert", other, back[:2]), ("match", other), first],
            [("insert", key, back), ("insert", key, back[::-1]), draw.offer(other)],
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
            again, nowhere, every = ("again", 0), ("lock", 0, draw.key(1)), ("evict", ALL)
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
                [("lock", 0, ()), first, ("lock", 1, ()), free, free_1, again, ("again", 1)],
                [("keep", 0, (), ()), draw.keep(1, key), cut, free, free_1, again],
                [held, free, again],
                [held, below, free, again, free_1],
                [held, free, draw.keep(2, key), again, ("unlock", 2)],
                [held, cut, free, again],
                [held, below, free, again, again, cut, free_1, again, ("again", 1)],
                [held, every, cut, free, again, draw.keep(2, key), again],
                [first, lock, every, parting, every, ("unlock", 2), ("again", 2)],
                [first, below, lock, every, free_1, every, cut, ("unlock", 2)],
            )
    yield from _many_locks(rng)


def _many_locks(rng: np.random.Generator) -> Iterator[Scenario]:
    """Hundreds of receipts on one node, and one at every level of a deep tree."""
    draw = Draw(rng, 2)
    key, deep = draw.key(2), draw.key(DEPTH)
    many: list[Operation] = [("lock", n, key[: 2 + n % 2 * 2]) for n in range(300)]
    free: list[Operation] = draw.shuffled([("unlock", n) for n in range(300)])
    levels: list[Operation] = [("lock", n, deep[: 2 * n]) for n in range(DEPTH)]
    undone: list[Operation] = draw.shuffled([("unlock", n) for n in range(DEPTH)])
    for keep, locks, unlocks in ((key, many, free), (deep, levels, undone)):
        half = len(unlocks) // 2
        first, last = unlocks[:half], unlocks[half:]
        again: list[Operation] = [("again", n) for _, n in first]
        new: list[Operation] = [("lock", 500 + n, keep) for _, n in first]
        run = [draw.insert(keep), *locks, WALK, *first, WALK, *new, *again, WALK, *last, WALK]
        yield from _scenarios(draw, "locks", run)


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
        new = draw.key(4)
        reused: Operation = ("insert", new, grown[3][2])
        yield from _scenarios(
            draw,
            "found evicted",
            [every, ("evict", 0), grown[0], ("evict", 1), *found],
            [grown[0], every, *found],
            [*grown, ("evict", 0), *found],
            [*grown, every, every, *found],
            [*grown, *some, *found, every],
            [*grown, *[("evict", 1)] * 9, *found],
            [*grown, *some[:2], *grown, *found, every],
            [*held, every, *found],
            [*held, ("unlock", 3), ("unlock", 2), every, *found, ("unlock", 1), every, *found],
            [*grown, every, reused, ("match", new), ("evict", 2), ("match", new), every, *found],
            [
                *grown,
                every,
                reused,
                draw.insert(draw.key(2)),
                every,
                grown[0],
                ("match", new),
                every,
            ],
        )
        for i, key in enumerate(keys):
            locked: Operation = ("lock", 9, key)
            kept = [*grown[:i], draw.keep(9, key), *grown[i + 1 :]]
            yield from _scenarios(
                draw,
                "found evicted",
                [*grown, locked, ("evict", 1), *found, every, *found],
                [*kept, every, every, *found, ("unlock", 9), every, *found],
            )
    yield from _large_evictions(rng)


def _large_evictions(rng: np.random.Generator) -> Iterator[Scenario]:
    """Of a long chain and of many branches, some of them locked."""
    draw = Draw(rng, 2)
    stem = draw.key(3)
    branches = [stem + draw.key(int(n)) for n in rng.integers(2, 9, 50)]
    chain_of = [draw.key(DEPTH)[: 2 * end] for end in (40, 41, DEPTH)]
    steps = [chain_of[0][: 2 * end] for end in range(1, DEPTH + 1)]
    for keys in (branches, chain_of, steps, [*branches, *chain_of]):
        grown = [draw.insert(stem), *(draw.insert(key) for key in keys)]
        found: list[Operation] = [("match", key) for key in keys]
        some: list[Operation] = [("evict", n) for n in (65, 1, 0, 70, 12)]
        locks: list[Operation] = [("lock", n, key) for n, key in enumerate(keys) if n % 3 == 0]
        free: list[Operation] = [("unlock", n) for _, n, _ in locks]
        rest: list[Operation] = [("evict", ALL), *found]
        yield from _scenarios(
            draw,
            "found evicted",
            [*grown, *some, *found, *rest],
            [*grown, *locks, *some, *rest, *free, *some, *rest],
        )


def stats_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Count an empty tree, one without locks, and one with two locks, one, and none.

    Count again after splits, evictions and insertions that bring nothing.
    """
    yield Scenario(2, (("stats",),), frozenset({"counted"}))
    for size in BLOCK_SIZES:
        draw = Draw(rng, size)
        stem = draw.key(2)
        keys = [stem, stem + draw.key(3), stem + draw.key(1), draw.key(2)]
        grown = [draw.insert(key) for key in keys]
        locks: list[Operation] = [("lock", n, key) for n, key in enumerate(keys)]
        stats: Operation = ("stats",)
        cut, parting = ("match", keys[1][: 3 * size]), draw.insert(stem[:size] + draw.key(2))
        yield from _scenarios(
            draw,
            "counted",
            [*grown, stats],
            [*grown, locks[1], stats],
            [*grown, *locks[1:3], stats, ("unlock", 1), stats],
            [*grown, *locks, stats, ("unlock", 0), ("unlock", 1), ("unlock", 2), stats],
        )
        yield from _scenarios(
            draw,
            "",
            [*grown, stats, ("evict", ALL), stats, *grown, stats],
            [*grown, stats, ("evict", 2), stats, ("evict", 1), stats, ("evict", ALL), stats],
            [*grown, stats, cut, stats, parting, stats, draw.offer(keys[1]), stats],
            [*grown, *locks[:2], cut, stats, parting, stats, ("evict", ALL), stats],
            [*grown, *locks[:2], parting, ("evict", ALL), ("unlock", 1), stats, grown[2], stats],
            [*grown, *locks[:2], ("unlock", 1), ("evict", ALL), stats, ("unlock", 0), stats],
        )


def machine_scenarios(rng: np.random.Generator) -> Iterator[Scenario]:
    """Long random runs over few blocks, so that keys meet, part, go and come back.

    Two thirds are watched after every call, and the others at the end alone.
    """
    for number in range(NUM_RUNS):
        size = int(rng.choice((1, 2, 2, 3, 4, 16)))
        run = Machine(Draw(rng, size, wide=True), num_letters=3).run(RUN_LENGTH)
        yield Scenario(size, (*run, *[WALK] * (number % 3 == 0)), EVERYTHING)
    for size, num_letters in ((1, 2), (2, 24)):
        run = Machine(Draw(rng, size, wide=True), num_letters).run(8 * RUN_LENGTH)
        yield Scenario(size, (*run, WALK), EVERYTHING)
