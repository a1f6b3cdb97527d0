"""How the grader of 8.5.1 looks for blocks that a tree takes for one another.

It runs beside the learner's code, and what it says is only a hint: the grader plays the blocks that
it names on a new tree, and judges the answers as ever.
"""

import gc
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from operator import index
from random import Random
from time import thread_time
from types import CodeType, FunctionType, ModuleType
from typing import Any

from radixlab.exercise.tree_player import undisturbed

MAX_OBJECTS = 20_000
"""That are looked at for numbers."""
MAX_NUMBERS = 60
BATCH = 1_000
"""Blocks between two looks at the clock."""
MakeTree = Callable[[int], Any]
Block = tuple[int, ...]


def numbers_in(make_tree: MakeTree) -> list[int]:
    """Return the largest whole numbers that the learner's code and one tree of it hold.

    A remainder, a mask or a factor is easy to fool once it is known.
    """
    tree = make_tree(1)
    tree.insert((1,), (0,))
    home = getattr(make_tree, "__module__", None)
    found, seen, waiting = set[int](), set[int](), list[Any]([make_tree, tree])
    while waiting and len(seen) < MAX_OBJECTS:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        with suppress(Exception):  # of an odd object's own methods
            number, inner = _looked_into(thing, home)
            found |= number
            waiting += inner
    return sorted(number for number in found if number < 2**64)[-MAX_NUMBERS:]


def _looked_into(thing: Any, home: str | None) -> tuple[set[int], Iterable[Any]]:
    """Return the number that a thing is, if any, and what it holds, unless others wrote it."""
    if isinstance(thing, CodeType):
        return set(), thing.co_consts
    is_code = isinstance(thing, type | FunctionType)
    if isinstance(thing, ModuleType) or (is_code and thing.__module__ != home):
        return set(), ()
    if hasattr(type(thing), "__index__"):
        return {abs(int(index(thing)))}, ()
    return set(), gc.get_referents(thing)


def mistaken(make_tree: MakeTree, seed: int, num_blocks: int, most_s: float) -> list[int]:
    """Insert random blocks of one token, look all of them up, and return what got lost.

    They are two that the tree takes for one another; or one, if it is not lost beside any single
    other; or none. Of `n` blocks, two have the same key of `b` bits with the probability
    1 - exp(-n² / 2^(b + 1)). After `most_s` of CPU time no more are inserted, or looked up.
    """
    draw = Random(seed)
    blocks: list[Block] = [(draw.getrandbits(63),) for _ in range(num_blocks)]
    with undisturbed():
        tree, is_late = make_tree(1), _alarm(most_s)
        for number, block in enumerate(blocks):
            tree.insert(block, (number,))
            if number % BATCH == 0 and is_late():
                del blocks[number + 1 :]
        is_late = _alarm(most_s)
        for number, block in enumerate(blocks):
            found = _found(tree, block)
            if found != [number]:
                others = [blocks[i] for i in found if i in range(len(blocks))]
                return [*block, *(others or _lost_beside(make_tree(1), blocks[number:], most_s))[0]]
            if number % BATCH == 0 and is_late():
                break
    return []


def _lost_beside(tree: Any, blocks: list[Block], most_s: float) -> list[Block]:
    """Return the block that makes the tree lose the first one; an empty one if none does."""
    is_late = _alarm(most_s)
    for number, block in enumerate(blocks):
        tree.insert(block, (number,))
        if _found(tree, blocks[0]) != [0]:
            return [block]
        if number % BATCH == 0 and is_late():
            break
    return [()]


def _found(tree: Any, block: Block) -> list[Any]:
    return [*islice(tree.match_prefix(block).block_ids, 2)]


def _alarm(most_s: float) -> Callable[[], bool]:
    end_s = thread_time() + most_s
    return lambda: thread_time() > end_s
