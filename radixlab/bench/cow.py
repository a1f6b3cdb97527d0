"""What copy-on-write costs a write, and what it saves a fork, beside copying at once.

A sequence of 1,024 tokens and half a block is forked; every branch then writes one token, and then
one more, as parallel sampling does in its first two steps. With copy-on-write the fork copies
nothing, and all branches but the last to write copy the one block that they share half-filled. The
rival is `NaiveManager.fork`, which copies all blocks at the fork. Copies are really made, in a
`NumpyKVStore` of 4 KB a token, and belong to the time of the write that needs them. Clocks as in
`growth`: wall time of single calls, in medians.

Lesson 04 prints what this file measures, and exercise 8.5.2 measures the same: `unshared` and
`first` are its phases, and what a copy adds is the difference between them.
"""

import time
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from radixlab.bench.measure import Spread, quiet_gc, ratios, spread
from radixlab.cache import CacheConfig, KVCacheManager, NaiveManager, NumpyKVStore, Transfer
from radixlab.workloads.request import TokenArray

CONTEXT_TOKENS = 1024
VALUE_SHAPE = (1024,)
"""Of one token's KV, float32: 4 KB."""
TOKEN_BYTES = 4 * VALUE_SHAPE[0]
BLOCK_SIZES = (16, 32, 64, 128)
NUM_FORKS = (1, 4, 16)
TOKEN: TokenArray = np.array([7], np.int32)


@dataclass(frozen=True, slots=True)
class Sample:
    """One fork and its first writes, in µs; every time includes the bytes that are copied."""

    unshared_us: float
    """The first write to a sequence that was never forked: its token buffer grows here too."""
    first_us: float
    """The first write of a branch that must copy: median over the branches."""
    later_us: float
    """The second write of a branch: median over the branches."""
    lazy_us: float
    """All forks and all first writes."""
    eager_us: float
    """The same by copying at once."""
    lazy_blocks: int
    eager_blocks: int


@dataclass(frozen=True, slots=True)
class CowRow:
    """One block size and number of forks; figures over the rounds, a round's being its median."""

    block_size: int
    num_forks: int
    unshared_us: Spread
    first_us: Spread
    later_us: Spread
    copy_us: Spread
    """What a copy adds to a write: first - unshared."""
    first_over_unshared: Spread
    lazy_us: Spread
    eager_us: Spread
    eager_over_lazy: Spread
    lazy_blocks: int
    eager_blocks: int

    @property
    def block_bytes(self) -> int:
        """KV bytes of one block."""
        return self.block_size * TOKEN_BYTES


class Branches:
    """Two managers over stores of the same size, and a prompt that ends in the middle of a block.

    The lazy one has the prompt's full blocks in its tree, as in use.
    """

    def __init__(self, block_size: int, num_forks: int) -> None:
        self.num_forks = num_forks
        num_tokens = CONTEXT_TOKENS + block_size // 2
        self.prompt = np.arange(num_tokens, dtype=np.int32)
        num_blocks = (num_forks + 3) * (CONTEXT_TOKENS // block_size + 1)
        config = CacheConfig(num_blocks, block_size)
        self.lazy, self.eager = KVCacheManager(config), NaiveManager(config)
        self.store = NumpyKVStore(num_blocks, block_size, VALUE_SHAPE)
        self.store.data[:] = 1  # so that all its pages are there before the first copy

    def sample(self) -> Sample:
        """Fork both ways, write, and give everything back."""
        unshared_us, first, later, lazy_us, lazy_blocks = self._lazy()
        eager_us, eager_blocks = self._eager()
        return Sample(unshared_us, first, later, lazy_us, eager_us, lazy_blocks, eager_blocks)

    def _start(self, manager: Any) -> Any:
        sequence = manager.allocate(self.prompt)
        manager.commit(sequence, sequence.num_tokens)
        return sequence

    def _lazy(self) -> tuple[float, float, float, float, int]:
        """Return µs: never shared, first, later, all forks and first writes; and blocks copied."""
        manager, first, total, num_copied = self.lazy, [], 0.0, 0
        alone = [self._start(manager) for _ in range(2)]
        branches = [self._start(manager)]
        for _ in range(self.num_forks):
            us, child = timed_us(partial(manager.fork, branches[0]))
            total += us
            branches.append(child)
        _, unshared = [self._write(sequence)[0] for sequence in alone]  # the first one warms up
        for branch in branches:
            us, copies = self._write(branch)
            total += us
            first += [us] if copies else []
            num_copied += len(copies)
        later = [self._write(branch)[0] for branch in branches]
        for sequence in (*alone, *branches):
            manager.release(sequence)
        return unshared, median(first), median(later), total, num_copied

    def _write(self, sequence: Any) -> tuple[float, Many[Transfer]]:
        """Append a token and run the copies that it takes; return µs and the copies."""
        us, copies = timed_us(partial(self.lazy.append, sequence, TOKEN))
        if copies:
            us += timed_us(partial(self._run, copies))[0]
        return us, copies

    def _run(self, copies: Many[Transfer]) -> None:
        self.store.run(copies)
        self.lazy.complete(copies)

    def _eager(self) -> tuple[float, int]:
        """Return µs of all forks and first writes, and blocks copied."""
        manager, total, num_copied = self.eager, 0.0, 0
        branches: list[Any] = [self._start(manager)]
        for _ in range(self.num_forks):
            us, child = timed_us(partial(manager.fork, branches[0]))
            total += us + timed_us(partial(self.store.run, child.copies))[0]
            num_copied += len(child.copies)
            branches.append(child)
        total += sum(timed_us(partial(manager.append, b, TOKEN))[0] for b in branches)
        for branch in branches:
            manager.release(branch)
        return total, num_copied


def measure_branches(
    rounds: int,
    num_samples: int,
    block_sizes: tuple[int, ...] = BLOCK_SIZES,
    forks: tuple[int, ...] = NUM_FORKS,
    progress: Callable[[], object] | None = None,
) -> list[CowRow]:
    """Sample every combination in every round; `progress` after each turn."""
    cells = {(size, num): Branches(size, num) for size in block_sizes for num in forks}
    samples: dict[tuple[int, int], list[Sample]] = {cell: [] for cell in cells}
    with quiet_gc():
        for _ in range(rounds):
            for cell, branches in cells.items():
                samples[cell].append(_middle([branches.sample() for _ in range(num_samples)]))
                if progress:
                    progress()
    return list(_rows(samples))


def timed_us(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the wall time of one call in µs, and its result."""
    start = time.perf_counter_ns()
    result = call()
    return (time.perf_counter_ns() - start) / 1000, result


def _middle(samples: list[Sample]) -> Sample:
    """Take the median of every time; the numbers of blocks are the same in all."""
    times = ("unshared_us", "first_us", "later_us", "lazy_us", "eager_us")
    middle = {name: median(getattr(sample, name) for sample in samples) for name in times}
    blocks = {(sample.lazy_blocks, sample.eager_blocks) for sample in samples}
    assert len(blocks) == 1, blocks
    lazy_blocks, eager_blocks = blocks.pop()
    return Sample(**middle, lazy_blocks=lazy_blocks, eager_blocks=eager_blocks)


def _rows(samples: dict[tuple[int, int], list[Sample]]) -> Iterator[CowRow]:
    for (block_size, num_forks), rounds in samples.items():
        unshared, first = [s.unshared_us for s in rounds], [s.first_us for s in rounds]
        lazy, eager = [s.lazy_us for s in rounds], [s.eager_us for s in rounds]
        yield CowRow(
            block_size,
            num_forks,
            spread(unshared),
            spread(first),
            spread(s.later_us for s in rounds),
            spread(s.first_us - s.unshared_us for s in rounds),
            ratios(first, unshared),
            spread(lazy),
            spread(eager),
            ratios(eager, lazy),
            rounds[0].lazy_blocks,
            rounds[0].eager_blocks,
        )
