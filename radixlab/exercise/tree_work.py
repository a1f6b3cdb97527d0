"""How the grader of 8.5.1 measures: many keys in one call, plain ones or such that count.

It runs beside the learner's code, so what is counted here is only good for a message: the grader
also takes the CPU time of the whole process, from outside, and compares what was found.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import thread_time
from typing import Any, SupportsIndex

from radixlab.exercise.plain import plain_numbers
from radixlab.exercise.tree_player import Answer, undisturbed

Keys = list[list[int]]
Inserted = list[tuple[list[int], list[int]]]
"""Keys and their block ids."""


class TooMuchWorkError(Exception):
    """The tree did more than any good one does: the run ends here."""


class Meter:
    """Counts, up to a limit."""

    def __init__(self, most: float) -> None:
        self.count, self.most = 0, most

    def add(self, number: int) -> None:
        """Count more; raise past the limit."""
        self.count += number
        if self.count > self.most:
            raise TooMuchWorkError(f"over {self.most:,.0f}")


def counted_key(meter: Meter) -> Callable[[list[int]], tuple[int, ...]]:
    """Return what makes keys of ints that count `==` and `hash`, and slices that count copies.

    >>> meter = Meter(most=100)
    >>> key, same = map(counted_key(meter), ([1, 2, 3], [1, 2, 3]))
    >>> key == same, hash(key[1:]) == hash((2, 3)), meter.count
    (True, True, 7)
    """

    class Token(int):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            meter.add(1)
            return int.__eq__(self, other)

        def __ne__(self, other: object) -> bool:
            meter.add(1)
            return int.__ne__(self, other)

        def __hash__(self) -> int:
            meter.add(1)
            return int.__hash__(self)

    class Key(tuple[int, ...]):
        __slots__ = ()

        def __getitem__(self, index: SupportsIndex | slice) -> Any:
            part = tuple.__getitem__(self, index)
            if not isinstance(index, slice):
                return part
            meter.add(len(part))  # type: ignore[arg-type]
            return Key(part)  # type: ignore[arg-type]

    return lambda tokens: Key(map(Token, tokens))


def count_work(
    make_tree: Callable[[int], Any], block_size: int, keys: Inserted, wanted: Keys, most: float
) -> Answer:
    """Insert some keys and look others up; return what was found, and the work it took."""
    meter = Meter(most)
    found: list[Any] = []
    with undisturbed(), suppress(TooMuchWorkError):
        tree = make_tree(block_size)
        found.extend(_insert_and_match(tree, keys, wanted, counted_key(meter)))
    return {"found": found[len(keys) :], "work": meter.count}


def collect() -> None:
    """Free what earlier runs left behind, so that the next one does not have to."""
    gc.collect()


def run_work(
    make_tree: Callable[[int], Any],
    block_size: int,
    keys: Inserted,
    wanted: Keys,
    num_times: int,
    most_s: float,
) -> Answer:
    """Do the same with plain keys, on a new tree each time; return the last one too.

    It stops after `most_s` of CPU time: the grader has waited long enough to know.
    """
    end_s = thread_time() + most_s
    found: list[Any] = []
    with undisturbed():
        for _ in range(num_times):
            tree, found = make_tree(block_size), []
            for block_ids in _insert_and_match(tree, keys, wanted, tuple):
                found.append(block_ids)
                if thread_time() > end_s:
                    return {"tree": None}
    return {"found": found[len(keys) :], "tree": tree}


def _insert_and_match(
    tree: Any, keys: Inserted, wanted: Keys, make_key: Callable[[list[int]], Any]
) -> Iterator[Any]:
    """Yield None after each insertion, then the blocks of each key that is wanted."""
    for tokens, block_ids in keys:
        tree.insert(make_key(tokens), tuple(block_ids))
        yield None
    for tokens in wanted:
        yield plain_numbers(tree.match_prefix(make_key(tokens)).block_ids, len(tokens))
