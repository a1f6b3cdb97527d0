"""Hidden scenarios, one family per item: the shapes are fixed, the numbers drawn.

A family avoids the special cases of the other items where it can, so that one fault costs one
item: only `match` has keys that end inside a block, only `children` asks for both of two blocks
that look alike, only `reinsert` offers blocks that are not needed, and only `match` and `children`
have tokens of any size, also 0 and below. The machine has all of this. Blocks hold 1 to 64 tokens,
and the first of them has the id 0.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from radixlab.exercise.tree import Tokens
from radixlab.grade.ex1.machine import ALL, Draw, Machine
from radixlab.grade.ex1.scenario import EVERYTHING, Operation, Scenario
from radixlab.grade.ex1.twins import look_alikes

BLOCK_SIZES = (1, 2, 3, 4, 16, 64)
DEPTH = 60
"""Levels of the deep trees."""
NUM_RUNS, RUN_LENGTH = 36, 40
"""Of the state machine."""
STATS, WALK = ("stats",), ("walk",)
EVERY = ("evict", ALL)
Runs = Iterator[tuple[str, Iterable[Operation]]]
"""What is judged, and the operations."""
Family = Callable[[np.random.Generator], Iterator[Scenario]]


def _family(wide: bool = False) -> Callable[[Callable[[Draw], Runs]], Family]:
    """Make a family of what a function draws for one block size."""

    def family_of(runs: Callable[[Draw], Runs]) -> Family:
        def family(rng: np.random.Generator) -> Iterator[Scenario]:
            for size in BLOCK_SIZES:
                for judged, operations in runs(Draw(rng, size, wide)):
                    yield Scenario(size, tuple(operations), frozenset(judged.split()))

        return family

    return family_of


def _matches(*keys: Tokens) -> list[Operation]:
    return [("match", key) for key in keys]


@_family(wide=True)
def match_scenarios(draw: Draw) -> Runs:
    """Keys that end or part anywhere: at a block's end, inside one, before the first."""
    size = draw.block_size
    key, other, over = draw.key(3), draw.key(2), draw.some(size - 1)
    wanted = [key, key + over, key + draw.key(1), other, draw.key(1), over]
    wanted += [key[:end] for end in draw.ends(len(key))]
    wanted += [key[:end] + draw.some(len(key) - end) for end in draw.ends(len(key))]
    yield "found", _matches(key, ())
    for tokens in wanted:
        yield "found", [draw.insert(key), draw.insert(other), *_matches(tokens, key, other)]
    for pad in (0, -1, key[-1]):
        padded = key + draw.some(1) + (pad,) * (size - 1)
        ragged_keys = [padded[: len(key) + end] for end in draw.ends(size)]
        yield "found", [draw.insert(padded), *_matches(*ragged_keys)]
    nothing, short, ragged, whole = map(draw.insert, ((), over, key + over, key))
    longer, alone = _matches(key + over + draw.some(1), over + draw.some(1))
    again = _matches(key, key + over)
    yield "shape", [nothing, short, ragged, whole]
    yield "found", [ragged, longer, *again]
    yield "found", [short, alone]
    yield "found", [nothing, short, alone, ragged, *again, short, alone, whole]


@_family()
def split_scenarios(draw: Draw) -> Runs:
    """Keys that part at a block's end, and are all found; and that part inside a block.

    Of the latter only the cut is judged: whether both are found is what `children` asks.
    """
    size, judged = draw.block_size, "found cached shape"
    for shared in (1, 2):
        key, tail, more = draw.key(3), draw.key(1), draw.key(1)
        head = key[: shared * size]
        first, below = draw.insert(key), draw.insert(key + more)
        other, third = draw.insert(head + tail), draw.insert(key[:size] + draw.key(2))
        found = _matches(key + more, head + tail)
        yield judged, [first, other, *_matches(key, head + tail)]
        yield judged, [first, *_matches(head, key)]
        yield judged, [first, draw.insert(head), *_matches(key)]
        yield judged, [first, below, other, *found]
        yield judged, [first, below, other, third, *found, *_matches(third[1])]
        for inside in [end for end in draw.ends(size) if end]:
            cut = key[: shared * size + inside]
            again = draw.insert(key[: (shared + 1) * size] + draw.key(1))
            yield judged, [first, draw.insert(cut + draw.some(2 * size - inside))]
            yield "cached", [first, *_matches(cut), again]
    if size in (1, 4):  # a key of many blocks in pieces: from short to long, back, in any order
        keys = draw.growing(DEPTH)
        branches = [key + draw.key(1) for key in keys]
        pieces = [draw.insert(key) for key in (*keys, *branches)]
        found = [*_matches(keys[-1], *branches), WALK]
        yield judged, [*pieces, *found]
        yield judged, [*pieces[:DEPTH][::-1], *pieces[DEPTH:][::-1], *found]
        yield judged, [*draw.shuffled(pieces), *found]


@_family(wide=True)
def children_scenarios(draw: Draw) -> Runs:
    """Blocks that look alike, as siblings and inside nodes."""
    size, rng = draw.block_size, draw.rng
    for above, tail, part in ((), (), 1), (draw.key(2), draw.key(1), 3):
        alike = [above + block + tail for block in look_alikes(rng, size)[::part]]
        siblings = draw.shuffled([draw.insert(key) for key in alike])
        yield "found", [*siblings, *_matches(*alike)]
    block, *others = look_alikes(rng, size)[4::4]
    heads = [draw.key(1) for _ in others]
    pairs = [
        (draw.insert(head + block + draw.key(1)), ("match", head + other))
        for head, other in zip(heads, others, strict=True)
    ]
    yield "found", [operation for pair in pairs for operation in pair]


@_family()
def reinsert_scenarios(draw: Draw) -> Runs:
    """Offer a key again, or a longer one: with other blocks, the tree's own, and some of each."""
    key, other = draw.key(3), draw.key(2)
    longer = key + draw.key(2)
    own, first = draw.ids(longer), draw.insert(key)
    ids, back = first[2], draw.ids(key)
    mixed = tuple(a if i % 2 else b for i, (a, b) in enumerate(zip(ids, own, strict=False)))
    offers: tuple[list[Operation], ...] = (
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
    )
    for offer in offers:
        yield "found kept duplicates", [first, *offer, ("match", longer)]


@_family()
def lock_scenarios(draw: Draw) -> Runs:
    """Locks on leaves and inner nodes, splits below and above them, receipts used twice.

    And hundreds of receipts on one node, and one at every level of a deep tree.
    """
    size, judged = draw.block_size, "locks"
    key, more = draw.key(3), draw.key(2)
    first, held, below = draw.insert(key), draw.keep(0, key), draw.keep(1, key + more)
    free, free_1, free_2 = (("unlock", receipt) for receipt in range(3))
    again, again_1, again_2 = (("again", receipt) for receipt in range(3))
    for shared in (1, 2):
        head = key[: shared * size]
        cut, parting = ("match", head), draw.insert(head + draw.key(2))
        branch, lock = draw.keep(1, head + draw.key(1)), ("lock", 2, head)
        yield judged, [held, free]
        yield judged, [held, draw.keep(1, key), free_1, free]
        yield judged, [first, below, free_1]
        yield judged, [held, cut, free]
        yield judged, [held, parting, free]
        yield judged, [held, below, cut, parting, free, free_1]
        yield judged, [held, branch, lock, free, free_1, free_2]
        yield judged, [first, lock, parting, free_2]
        yield judged, [first, ("lock", 0, draw.key(1)), free, again]
        yield judged, [("lock", 0, ()), first, ("lock", 1, ()), free, free_1, again, again_1]
        yield judged, [("keep", 0, (), ()), draw.keep(1, key), cut, free, free_1, again]
        yield judged, [held, free, again]
        yield judged, [held, below, free, again, free_1]
        yield judged, [held, free, draw.keep(2, key), again, free_2]
        yield judged, [held, cut, free, again]
        yield judged, [held, below, free, again, again, cut, free_1, again, again_1]
        yield judged, [held, EVERY, cut, free, again, draw.keep(2, key), again]
        yield judged, [first, lock, EVERY, parting, EVERY, free_2, again_2]
        yield judged, [first, below, lock, EVERY, free_1, EVERY, cut, free_2]
    if size == 2:
        keys = draw.growing(2)
        for locked in (keys * 150, draw.growing(DEPTH)):
            locks = [("lock", receipt, key) for receipt, key in enumerate(locked)]
            unlocks = draw.shuffled([("unlock", receipt) for receipt in range(len(locked))])
            some, rest = unlocks[: len(locked) // 2], unlocks[len(locked) // 2 :]
            used = [("again", receipt) for _, receipt in some]
            new = [("lock", 500 + receipt, locked[-1]) for receipt in range(len(some))]
            built = [draw.insert(locked[-1]), *locks, WALK]
            yield judged, [*built, *some, WALK, *new, *used, WALK, *rest, WALK]


@_family()
def evict_scenarios(draw: Draw) -> Runs:
    """Trees that grew at their ends, without a split; eviction of some, all, none, and again.

    And of a long chain and of many branches, some of them locked.
    """
    judged, stem = "found evicted", draw.key(2)
    left, right = stem + draw.key(1), stem + draw.key(3)
    keys = (stem, left, right, left + draw.key(1))
    grown = [draw.insert(key) for key in keys]
    held = [draw.keep(receipt, key) for receipt, key in enumerate(keys)]
    found = _matches(keys[3], right)
    some = [("evict", int(n)) for n in draw.rng.integers(1, 4, 6)]
    none, one = ("evict", 0), ("evict", 1)
    free_1, free_2, free_3 = (("unlock", receipt) for receipt in (1, 2, 3))
    reused: Operation = ("insert", draw.key(4), grown[3][2])
    sought = ("match", reused[1])
    yield judged, [EVERY, none, grown[0], one, *found]
    yield judged, [grown[0], EVERY, *found]
    yield judged, [*grown, none, *found]
    yield judged, [*grown, EVERY, EVERY, *found]
    yield judged, [*grown, *some, *found, EVERY]
    yield judged, [*grown, *[one] * 9, *found]
    yield judged, [*grown, *some[:2], *grown, *found, EVERY]
    yield judged, [*held, EVERY, *found]
    yield judged, [*held, free_3, free_2, EVERY, *found, free_1, EVERY, *found]
    yield judged, [*grown, EVERY, reused, sought, ("evict", 2), sought, EVERY, *found]
    yield judged, [*grown, EVERY, reused, draw.insert(draw.key(2)), EVERY, grown[0], sought, EVERY]
    for i, key in enumerate(keys):
        kept = [*grown[:i], draw.keep(9, key), *grown[i + 1 :]]
        yield judged, [*grown, ("lock", 9, key), one, *found, EVERY, *found]
        yield judged, [*kept, EVERY, EVERY, *found, ("unlock", 9), EVERY, *found]
    if draw.block_size == 2:
        branches = [stem + draw.key(int(n)) for n in draw.rng.integers(2, 9, 50)]
        chain_of = [draw.growing(DEPTH)[end - 1] for end in (40, 41, DEPTH)]
        steps = draw.growing(DEPTH)
        for many in (branches, chain_of, steps, branches + chain_of):
            grown = [draw.insert(key) for key in (stem, *many)]
            some = [("evict", n) for n in (65, 1, 0, 70, 12)]
            locks = [("lock", n, many[n]) for n in range(0, len(many), 3)]
            free = [("unlock", n) for _, n, _ in locks]
            rest = [EVERY, *_matches(*many)]
            yield judged, [*grown, *some, *rest[1:], *rest]
            yield judged, [*grown, *locks, *some, *rest, *free, *some, *rest]


@_family()
def stats_scenarios(draw: Draw) -> Runs:
    """Count an empty tree, one without locks, and one with two locks, one, and none.

    Count again after splits, evictions and insertions that bring nothing.
    """
    stem = draw.key(2)
    keys = [stem, stem + draw.key(3), stem + draw.key(1), draw.key(2)]
    grown = [draw.insert(key) for key in keys]
    locks = [("lock", receipt, key) for receipt, key in enumerate(keys)]
    free, free_1, free_2 = (("unlock", receipt) for receipt in range(3))
    cut = ("match", keys[1][: 3 * draw.block_size])
    parting = draw.insert(stem[: draw.block_size] + draw.key(2))
    some = [("evict", 2), STATS, ("evict", 1), STATS]
    yield "counted", [STATS]
    yield "counted", [*grown, STATS]
    yield "counted", [*grown, locks[1], STATS]
    yield "counted", [*grown, *locks[1:3], STATS, free_1, STATS]
    yield "counted", [*grown, *locks, STATS, free, free_1, free_2, STATS]
    yield "", [*grown, STATS, EVERY, STATS, *grown, STATS]
    yield "", [*grown, STATS, *some, EVERY, STATS]
    yield "", [*grown, STATS, cut, STATS, parting, STATS, draw.offer(keys[1]), STATS]
    yield "", [*grown, *locks[:2], cut, STATS, parting, STATS, EVERY, STATS]
    yield "", [*grown, *locks[:2], parting, EVERY, free_1, STATS, grown[2], STATS]
    yield "", [*grown, *locks[:2], free_1, EVERY, STATS, free, STATS]


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
