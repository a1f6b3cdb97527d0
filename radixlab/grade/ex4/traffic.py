"""Hidden inputs, drawn from a seed: traces, caches of letters, random operations, many leaves.

The same seed gives the same inputs everywhere.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from radixlab.cache import CacheError, KVCacheManager
from radixlab.cache.errors import PolicyError
from radixlab.cache.protocols import EvictionPolicy
from radixlab.config import CacheConfig
from radixlab.workloads import GENERATORS, Request

NUM_REQUESTS = 400
MAX_RUNNING = 4
NUM_SMALL_CASES = 60


@dataclass(frozen=True, slots=True)
class Trace:
    """A generator's traffic in a pool of some size."""

    workload: str
    num_blocks: int
    seed: int

    @property
    def config(self) -> CacheConfig:
        """Return the pool's."""
        return CacheConfig(self.num_blocks)

    def requests(self) -> list[Request]:
        """Return the requests."""
        return _requests(self.workload, self.seed)


@lru_cache(maxsize=4)
def _requests(workload: str, seed: int) -> list[Request]:
    return list(GENERATORS[workload](NUM_REQUESTS, seed))


Case = tuple[list[str], int]
"""Prompts, and the blocks of the pool."""

BY_HAND: tuple[Case, ...] = (
    (["aaaa-", "bbbb-", "aaaa-", "cccc-"], 3),  # first in is not first out
    (["aaaa-", "bbbb-", "cccc-"], 3),  # nor is last in
    (["aaaabbbb-", "cccc-", "aaaa-", "dddd-", "eeee-"], 4),  # a parent is older than it looks
    (["aaaabbbb-", "aaaacccc-", "dddd-", "aaaabbbb-", "eeee-"], 5),
)


def letter_cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield small caches by hand, then drawn ones."""
    yield from BY_HAND
    for _ in range(NUM_SMALL_CASES):
        prompts = [
            "".join(4 * "abcd"[int(letter)] for letter in rng.integers(0, 4, rng.integers(1, 4)))
            for _ in range(int(rng.integers(4, 14)))
        ]
        yield [f"{prompt}-" for prompt in prompts], int(rng.integers(4, 8))


class Drive:
    """Random operations on a cache: up to four requests at once, forks, splits, and evictions."""

    def __init__(
        self, policy: EvictionPolicy, rng: np.random.Generator, num_blocks: int, block_size: int
    ) -> None:
        self._manager = KVCacheManager(CacheConfig(num_blocks, block_size), policy=policy)
        self._rng, self._block_size = rng, block_size
        self._prefixes = [self._tokens(int(rng.integers(1, 7))) for _ in range(4 + num_blocks // 8)]
        self._running: list[Any] = []

    def run(self, num_operations: int) -> None:
        """Do some more; what a policy raised comes out as it was."""
        for _ in range(num_operations):
            try:
                self._step()
            except PolicyError as error:
                raise (error.__cause__ or error) from None
            except CacheError:  # the others hold too much
                continue

    def _step(self) -> None:
        rng, running, manager = self._rng, self._running, self._manager
        if running and (len(running) >= MAX_RUNNING or rng.random() < 0.4):
            sequence = running.pop(int(rng.integers(len(running))))
            with suppress(CacheError):  # a fork may find no block to write to
                manager.commit(sequence, sequence.num_tokens)
            manager.release(sequence)
        elif rng.random() < 0.01:
            manager.evict(int(rng.integers(1, manager.config.num_blocks)))
        elif running and rng.random() < 0.1:
            running.append(manager.fork(running[int(rng.integers(len(running)))]))
        else:
            prefix = self._prefixes[int(rng.integers(len(self._prefixes)))]
            running.append(manager.allocate(np.concatenate([prefix, self._tokens(0)])))
            if rng.random() < 0.3:
                manager.commit(running[-1], running[-1].num_tokens)

    def _tokens(self, num_blocks: int) -> Any:
        """Draw some blocks of tokens, and up to three more."""
        rng, size = self._rng, self._block_size
        length = size * num_blocks + int(rng.integers(1, 3 * size + 1))
        return rng.integers(0, 50, size=length).astype(np.int32)


class ManyLeaves:
    """Leaves below the root, one block each: told event by event, for the engine takes too long."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng, self._tick, self._next = rng, 0, 0
        self._gone: deque[int] = deque(maxlen=64)
        self.leaves: dict[int, int] = {}
        """Their keys by node id."""

    def grow(self) -> list[tuple[Any, ...]]:
        """Add a leaf: half are used twice, and some were there before."""
        id, self._next = self._next, self._next + 1
        draw = self._rng.random()
        key = self._gone.popleft() if draw < 0.2 and self._gone else int(self._rng.integers(2**32))
        self.leaves[id] = key
        events = [("on_insert", id, None, key, 1, 1, self._tick, 0), self._leaf(id, 0)]
        if self._rng.random() < 0.5:
            hit = 1, 1, self._tick, 1
            events += [("on_hit", id, *hit), ("on_protected", id, *hit), self._leaf(id, 1)]
        return events

    def remove(self, id: int) -> list[tuple[Any, ...]]:
        """Evict a leaf."""
        self._gone.append(self.leaves.pop(id))
        return [("on_remove", id)]

    def _leaf(self, id: int, num_hits: int) -> tuple[Any, ...]:
        self._tick += 1
        return ("on_evictable", id, 1, 1, self._tick, num_hits)
