"""How the grader of 8.5.1 looks for blocks that a tree takes for one another.

It runs beside the learner's code, and what it says is only a hint: the grader plays the blocks that
it names on a new tree, and judges the answers as ever.
"""

import gc
from collections.abc import Callable, Iterator
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
NUM_FEW = 5_000
"""Blocks for a tree whose keys are whole blocks: it may still lose some of a crowd."""
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
    found = set[int]()
    for thing in _reached([make_tree, tree], getattr(make_tree, "__module__", None)):
        if hasattr(type(thing), "__index__"):
            with suppress(Exception):  # of an odd number
                found.add(abs(int(index(thing))))
    return sorted(number for number in found if number < 2**64)[-MAX_NUMBERS:]


def _reached(start: list[Any], home: str | None = None) -> Iterator[Any]:
    """Yield what objects hold, directly and indirectly; enter only code of the module `home`."""
    seen, waiting = set[int](), [*start]
    while waiting and len(seen) < MAX_OBJECTS:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        yield thing
        if isinstance(thing, CodeType):
            waiting += thing.co_consts
        elif isinstance(thing, type | FunctionType):
            waiting += gc.get_referents(thing) if thing.__module__ == home else ()
        elif not isinstance(thing, ModuleType):
            waiting += gc.get_referents(thing)


def _has_whole_blocks_as_keys(tree: Any, block: Block) -> bool:
    """Tell whether a dictionary of the tree has a block as it is as a key."""
    tree.insert(block, (0,))
    things = _reached([tree])
    return any(isinstance(thing, dict) and dict.__contains__(thing, block) for thing in things)


def mistaken(make_tree: MakeTree, seed: int, num_blocks: int, most_s: float) -> list[int]:
    """Insert blocks that differ in one token, look all of them up, and return what got lost.

    That is the tokens of two that the tree takes for one another; or of one, if it is not lost
    beside any single other; or nothing. Of `n` random blocks, two have the same key of `b` bits
    with the probability 1 - exp(-n² / 2^(b + 1)). After `most_s` of CPU time no more are inserted,
    or looked up. A tree whose keys are whole blocks has few to lose, and is tried with few.
    """
    draw = Random(seed)
    first, last = draw.getrandbits(63), draw.getrandbits(63)
    blocks: list[Block] = [(first, draw.getrandbits(63), last) for _ in range(num_blocks)]
    if _has_whole_blocks_as_keys(make_tree(len(blocks[0])), blocks[0]):
        del blocks[NUM_FEW:]
    with undisturbed():
        tree, is_late = make_tree(len(blocks[0])), _alarm(most_s)
        for number, block in enumerate(blocks):
            tree.insert(block, (number,))
            if number % BATCH == 0 and is_late():
                del blocks[number + 1 :]
        is_late = _alarm(most_s)
        for number, block in enumerate(blocks):
            found = _found(tree, block)
            if found != [number]:
                others = [blocks[i] for i in found if i in range(len(blocks))]
                tree = make_tree(len(block))
                return [*block, *(others or _lost_beside(tree, blocks[number:], 2 * most_s))[0]]
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
