"""What a victim costs under each policy, as the number of leaves grows.

The cache is full of leaves of four blocks, hit at random so that policies have something to tell
apart. A sample gives up 48 blocks and stores as many again, so the cache stays as it is; what is
timed is the giving up. Belady is not among them: its cost is that of a bound, not of an engine.
"""

import time
from collections.abc import Callable

import numpy as np

from radixlab.bench.measure import quiet_gc, ratios, spread
from radixlab.bench.report import count
from radixlab.bench.table import Cell, TableReport
from radixlab.bench.tree_report import Progress
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.eviction import POLICIES

LEAF_BLOCKS = 4
SAMPLE_LEAVES = 12
SIZES = (1_000, 10_000, 100_000)


class Orchard:
    """A full cache under one policy."""

    def __init__(self, policy: str, num_leaves: int) -> None:
        num_blocks = (num_leaves + SAMPLE_LEAVES) * LEAF_BLOCKS
        self.manager = KVCacheManager(CacheConfig(num_blocks, 1), policy=POLICIES[policy]())
        self.random = np.random.default_rng(0)
        self.num_made = 0
        for _ in range(num_leaves):
            self.plant()
        for leaf in self.random.integers(num_leaves, size=num_leaves // 2).tolist():
            self.serve(leaf)

    def plant(self) -> None:
        """Store a new leaf."""
        self.serve(self.num_made)
        self.num_made += 1

    def serve(self, leaf: int) -> None:
        """Take a request for a leaf through its life."""
        sequence = self.manager.allocate(np.array([leaf, 1, 2, 3, -1], np.int32))
        self.manager.commit(sequence, LEAF_BLOCKS)
        self.manager.release(sequence)

    def sample_us(self) -> float:
        """Give up a dozen leaves' blocks and store as many; µs per block given up."""
        num_blocks = SAMPLE_LEAVES * LEAF_BLOCKS
        start = time.thread_time_ns()
        gone = self.manager.evict(num_blocks)
        taken = time.thread_time_ns() - start
        assert gone == num_blocks
        for _ in range(SAMPLE_LEAVES):
            self.plant()
        return taken / 1000 / num_blocks


def measure_evict(command: str, rounds: int | None, quick: bool, progress: Progress) -> TableReport:
    """Run the benchmark; `command` is what the report will say it was."""
    rounds, sizes = rounds or (3 if quick else 5), SIZES[: 2 if quick else 3]
    with progress(len(POLICIES), "evict", "policy") as advance:
        rows = [_row(policy, sizes, rounds, advance) for policy in POLICIES]
    header = ["policy", *(f"µs a block, {size:,} leaves" for size in sizes)]
    header.append(f"{sizes[-1]:,} ÷ {sizes[0]:,}")
    what = (
        f"Leaves of {LEAF_BLOCKS} blocks, {SAMPLE_LEAVES} of them given up at a time; CPU time of "
        f"one thread, the median of 40 samples, median (min - max) of {count(rounds, 'round')}, "
        "the sizes taking turns"
    )
    return TableReport("What a victim costs", command, what, header, rows)


def _row(
    policy: str, sizes: tuple[int, ...], rounds: int, advance: Callable[[], object]
) -> list[Cell]:
    orchards = {size: Orchard(policy, size) for size in sizes}
    us: dict[int, list[float]] = {size: [] for size in sizes}
    with quiet_gc():
        for _ in range(rounds):
            for size, orchard in orchards.items():
                us[size].append(float(np.median([orchard.sample_us() for _ in range(40)])))
    advance()
    growth = ratios(us[sizes[-1]], us[sizes[0]])
    return [policy, *(spread(us[size]) for size in sizes), growth]
