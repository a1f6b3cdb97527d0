"""How the grader of 8.5.1 measures: keys that count what is done with them, and CPU time.

It runs beside the learner's code, so a learner could make it count nothing, and would have fooled
one person.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import get_clock_info, thread_time
from typing import Any, SupportsIndex

from radixlab.exercise.tree_player import Answer, numbers

Keys = list[list[int]]


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


def count_work(make_tree: Callable[[int], Any], block_size: int, keys: Keys, most: float) -> Answer:
    """Insert and then look up every key; return what was found, and the work it took."""
    meter = Meter(most)
    found: list[Any] = []
    try:
        for block_ids in _insert_and_match(make_tree, block_size, keys, counted_key(meter)):
            found.append(block_ids)
    except TooMuchWorkError:
        pass
    return {"found": found, "work": meter.count}


def time_work(
    make_tree: Callable[[int], Any], block_size: int, keys: Keys, most_s: float
) -> Answer:
    """Do the same with ordinary keys; the work is CPU time in seconds, and ends at `most_s`.

    The thread's time: Linux tells the process's in ticks of some milliseconds as soon as there is
    a limit on it, as in the grader's box. Where the thread's is as coarse, one run is not enough.
    """
    least_s = 10 * get_clock_info("thread_time").resolution
    num_runs, work = 0, 0.0
    with _no_collections():
        start_s = thread_time()
        while num_runs == 0 or work < least_s:
            num_runs += 1
            found: list[Any] = []
            for block_ids in _insert_and_match(make_tree, block_size, keys, tuple):
                found.append(block_ids)
                if thread_time() - start_s > most_s * num_runs:
                    break
            work = thread_time() - start_s
    return {"found": found, "work": work / num_runs}


def _insert_and_match(
    make_tree: Callable[[int], Any], block_size: int, keys: Keys, make_key: Callable[[Any], Any]
) -> Iterator[Any]:
    """Yield None after each insertion, then the blocks of each key."""
    tree, next_id = make_tree(block_size), 0
    for tokens in keys:
        num_blocks = len(tokens) // block_size
        tree.insert(make_key(tokens), tuple(range(next_id, next_id + num_blocks)))
        next_id += num_blocks
        yield None
    for tokens in keys:
        yield numbers(tree.match_prefix(make_key(tokens)).block_ids)


@contextmanager
def _no_collections() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
