"""How match, insert and evict grow with the tree, from a thousand blocks to a million.

The cache holds documents of 64 blocks, in families of 8 that share their first 16. It is in its
steady state: 48 blocks are evicted, 48 inserted. A match is `match_prefix` of 1,024 tokens given as
an array, an insert is a `commit`, an evict gives the blocks back to the pool. Targets are random,
so a tree larger than the processor's caches pays for its memory accesses, as it would in use. The
collector is off: its pauses do not belong to a single operation. Single operations are timed on the
wall clock, whose reading costs 50 ns instead of the CPU clock's 450; medians drop the
interruptions.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import numpy as np

from radixlab.bench.measure import Spread, quiet_gc, ratios, spread
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.workloads.request import TokenArray

BLOCK_SIZE = 16
PREFIX_BLOCKS = 16
OWN_BLOCKS = 48
FAMILY_SIZE = 8
SIZES = (1_000, 10_000, 100_000, 1_000_000)
DOCUMENT_TOKENS = (PREFIX_BLOCKS + OWN_BLOCKS) * BLOCK_SIZE
OPERATIONS = ("match", "insert", "evict")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GrowthRow:
    """One operation: median µs at each size, and how much dearer the largest tree is."""

    operation: str
    us: dict[int, Spread]
    """By cached blocks, over the rounds; a round's figure is the median of its samples."""
    ratio: Spread
    """Largest ÷ smallest, formed inside each round."""


class Forest:
    """A manager with about `num_blocks` cached blocks, and its documents, oldest first."""

    def __init__(self, num_blocks: int, rng: np.random.Generator) -> None:
        self.rng = rng
        num_documents = num_blocks * FAMILY_SIZE // (PREFIX_BLOCKS + FAMILY_SIZE * OWN_BLOCKS)
        self.manager = KVCacheManager(CacheConfig(num_blocks + OWN_BLOCKS, BLOCK_SIZE))
        self.documents: deque[tuple[int, int]] = deque()
        """`(family, number)`; the tokens are made again when they are needed."""
        self.num_made = 0
        for index in rng.permutation(num_documents).tolist():
            sequence = self.manager.allocate(self.new_document(index // FAMILY_SIZE))
            self.manager.commit(sequence, DOCUMENT_TOKENS)
            self.manager.release(sequence)

    def new_document(self, family: int) -> TokenArray:
        """Name a document that is not in the tree yet, as the most recent; return its tokens."""
        self.num_made += 1
        self.documents.append((family, self.num_made))
        return document_tokens(family, self.num_made)

    def sample(self) -> tuple[int, int, int]:
        """Time a match of a random document, an eviction, and an insert of as many blocks; ns."""
        manager = self.manager
        known = document_tokens(*self.documents[int(self.rng.integers(len(self.documents)))])
        match_ns, match = _timed(lambda: manager.tree.match_prefix(known))
        family, _ = self.documents.popleft()
        evict_ns, gone = _timed(lambda: manager.evict(OWN_BLOCKS))
        sequence = manager.allocate(self.new_document(family))
        before = manager.tree.num_blocks
        insert_ns, _ = _timed(lambda: manager.commit(sequence, DOCUMENT_TOKENS))
        manager.release(sequence)
        moved = (len(match.block_ids), gone, manager.tree.num_blocks - before)
        assert moved == (PREFIX_BLOCKS + OWN_BLOCKS, OWN_BLOCKS, OWN_BLOCKS), moved
        return match_ns, insert_ns, evict_ns


def document_tokens(family: int, number: int) -> TokenArray:
    """Make a document, int32 `[1024]`; its first 256 tokens are its family's, the rest its own."""
    head = np.random.default_rng((0, family)).integers(128_000, size=PREFIX_BLOCKS * BLOCK_SIZE)
    own = np.random.default_rng((1, number)).integers(128_000, size=OWN_BLOCKS * BLOCK_SIZE)
    return np.concatenate((head, own)).astype(np.int32)


def measure_growth(
    rounds: int,
    num_samples: int,
    sizes: tuple[int, ...] = SIZES,
    progress: Callable[[], object] | None = None,
) -> list[GrowthRow]:
    """Measure every operation, the sizes taking turns in each round; `progress` after each turn."""
    forests = {size: Forest(size, np.random.default_rng(size)) for size in sizes}
    figures: dict[tuple[str, int], list[float]] = {(o, s): [] for o in OPERATIONS for s in sizes}
    with quiet_gc():
        for _ in range(rounds):
            for size, forest in forests.items():
                for operation, us in zip(OPERATIONS, _medians_us(forest, num_samples), strict=True):
                    figures[operation, size].append(us)
                if progress:
                    progress()
    return [_row(operation, {s: figures[operation, s] for s in sizes}) for operation in OPERATIONS]


def _medians_us(forest: Forest, num_samples: int) -> list[float]:
    samples = [forest.sample() for _ in range(num_samples)]
    return [median(column) / 1000 for column in zip(*samples, strict=True)]


def _row(operation: str, us: dict[int, list[float]]) -> GrowthRow:
    ratio = ratios(us[max(us)], us[min(us)])
    return GrowthRow(operation, {size: spread(rounds) for size, rounds in us.items()}, ratio)


def _timed(operation: Callable[[], T]) -> tuple[int, T]:
    start = time.perf_counter_ns()
    result = operation()
    return time.perf_counter_ns() - start, result
