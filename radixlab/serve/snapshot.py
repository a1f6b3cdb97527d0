"""The engine in numbers between two steps, as `/metrics` shows it.

The engine's thread takes a snapshot after every step, and any thread may read the last one. All
numbers of a snapshot belong to the same moment, so hits and misses add up to queries, and the
blocks add up to the pool.
"""

from dataclasses import dataclass, field

from radixlab.engine import Engine
from radixlab.serve.counting import CacheCounts
from radixlab.serve.timing import Timing


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts and gauges of one moment."""

    cache: CacheCounts = field(default_factory=CacheCounts)
    timing: Timing = field(default_factory=Timing)
    num_blocks: int = 0
    num_free_blocks: int = 0
    num_evictable_blocks: int = 0
    num_in_use_blocks: int = 0
    num_in_transfer_blocks: int = 0
    """Held by a pending transfer, and by nothing else."""
    num_nodes: int = 0
    num_running: int = 0
    num_waiting: int = 0


def take_snapshot(engine: Engine, cache: CacheCounts, timing: Timing) -> Snapshot:
    """Read the engine's gauges and copy the counts, in O(1) unless a transfer is pending."""
    manager = engine.manager
    num_blocks = manager.config.num_blocks
    free = manager.allocator.num_free
    evictable = manager.tree.num_evictable_blocks
    in_use = num_blocks - free - evictable
    if manager.transit.pending:
        in_use = manager.stats().num_used_blocks
    num_running = len(engine.scheduler.running)
    return Snapshot(
        cache.copy(),
        timing.copy(),
        num_blocks,
        free,
        evictable,
        in_use,
        num_blocks - free - evictable - in_use,
        manager.tree.num_nodes,
        num_running,
        len(engine.requests) - num_running,
    )
