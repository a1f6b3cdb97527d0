"""What managing the cache costs a request: our manager, the naive twin, the floor, and peers.

Thread CPU time from match to release, the collector as users have it. The contenders take turns
within a round, each with an empty cache, and ratios are formed inside the round, so a slow spell of
the machine hits all alike. In cold rounds 64 MB are swept through the processor's caches before
every request that is timed, as a model's forward pass does between two of them; the request's own
tokens arrive after the sweep.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radixlab.bench.contenders import FLOOR, NAIVE, OURS, Entry, ours_from
from radixlab.bench.measure import Spread, ratios, spread
from radixlab.bench.silent import silent_engine
from radixlab.config import CacheConfig
from radixlab.workloads import Workload, conversation_trace, open_workload

POOLS = (50_000, 250_000)
FALLBACK = "document-qa"
SWEPT_BYTES = 64 << 20
CACHE_LINE_BYTES = 64
COLD_EVERY = 4
"""In a cold round, before every fourth request there is a sweep, and only these are timed."""

Progress = Callable[[], object]


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One contender at one pool size."""

    contender: str
    num_blocks: int
    cpu_us: Spread
    """Thread CPU µs per request, over the rounds."""
    over_floor: Spread
    """This ÷ floor, formed inside each round."""
    over_ours: Spread
    """This ÷ ours, formed inside each round."""
    token_hit_rate: float | None
    """None for the floor, which caches nothing."""
    over_compiled: Spread | None = None
    """This ÷ ours compiled, formed inside each round; None where that build did not take part."""


@dataclass(frozen=True, slots=True)
class EventsRow:
    """What events cost when nobody listens."""

    rounds: int
    num_blocks: int
    cpu_us: Spread
    stripped_us: Spread
    """The same by a copy of the engine without its emit statements."""
    ratio: Spread
    """The one ÷ the other, formed inside each round."""
    engine: str = OURS.name


def workload_source() -> str:
    """Name the conversation trace's file, or where there is none a generator."""
    return str(conversation_trace() or FALLBACK)


def bench_workload(limit: int) -> Workload:
    """Open what `workload_source` names; the workload's name says which."""
    source = workload_source()
    workload = open_workload(source, limit)
    return Workload(Path(source).name, workload.num_requests, workload.requests)


def expanded(workload: Workload) -> Workload:
    """Make all of a workload's tokens now, so that making them disturbs no measurement."""
    requests = list(workload.requests())
    return Workload(workload.name, workload.num_requests, lambda: iter(requests))


def contenders(
    peers: Sequence[Entry], is_cold: bool = False, compiled: Entry | None = None
) -> list[Entry]:
    """List who takes part; the naive twin has no cache to be cold."""
    ours = [OURS, compiled] if compiled else [OURS]
    return [*ours, *peers, FLOOR] if is_cold else [*ours, *peers, NAIVE, FLOOR]


def measure_trace(
    workload: Workload,
    rounds: int,
    pools: tuple[int, ...] = POOLS,
    block_size: int = 16,
    peers: Sequence[Entry] = (),
    is_cold: bool = False,
    progress: Progress | None = None,
    compiled: Entry | None = None,
) -> list[TraceRow]:
    """Replay the workload `rounds` times through all contenders; `progress` after each replay."""
    workload = expanded(workload)
    turns = [(entry, pool) for pool in pools for entry in contenders(peers, is_cold, compiled)]
    cpu_us: dict[tuple[str, int], list[float]] = {(e.name, pool): [] for e, pool in turns}
    hit_rates: dict[tuple[str, int], float | None] = {}
    sweep = sweeper() if is_cold else None
    for _ in range(rounds):
        for entry, pool in turns:
            config = CacheConfig(num_blocks=pool, block_size=block_size)
            timing = entry.replay(config, workload, sweep, COLD_EVERY)
            cpu_us[entry.name, pool].append(timing.cpu_us)
            hit_rates[entry.name, pool] = timing.token_hit_rate if entry.caches else None
            if progress:
                progress()
    return list(_rows(cpu_us, hit_rates, compiled.name if compiled else None))


def measure_events(
    workload: Workload,
    rounds: int,
    num_blocks: int = POOLS[0],
    progress: Progress | None = None,
    pair: Sequence[Entry] | None = None,
) -> EventsRow:
    """Replay through our manager and its silent copy in turn, the first to go alternating.

    `pair` are another build of the two.
    """
    workload, config = expanded(workload), CacheConfig(num_blocks)
    pair = pair or [OURS, ours_from(silent_engine(), "silent")]
    cpu_us: dict[str, list[float]] = {entry.name: [] for entry in pair}
    for index in range(rounds):
        for entry in pair if index % 2 else reversed(pair):
            timing = entry.replay(config, workload)
            cpu_us[entry.name].append(timing.cpu_us)
        if progress:
            progress()
    ours, silent = cpu_us.values()
    ratio = ratios(ours, silent)
    return EventsRow(rounds, num_blocks, spread(ours), spread(silent), ratio, pair[0].name)


def sweeper(num_bytes: int = SWEPT_BYTES) -> Callable[[], object]:
    """Return what reads one word of every cache line of `num_bytes`, so that nothing else stays."""
    memory = np.ones(num_bytes // 8, np.int64)
    return lambda: memory[:: CACHE_LINE_BYTES // 8].sum()


def _rows(
    cpu_us: dict[tuple[str, int], list[float]],
    hit_rates: dict[tuple[str, int], float | None],
    compiled: str | None,
) -> Iterator[TraceRow]:
    for (contender, pool), rounds in cpu_us.items():
        over_floor = ratios(rounds, cpu_us[FLOOR.name, pool])
        over_ours = ratios(rounds, cpu_us[OURS.name, pool])
        over_compiled = ratios(rounds, cpu_us[compiled, pool]) if compiled else None
        hit_rate = hit_rates[contender, pool]
        yield TraceRow(
            contender, pool, spread(rounds), over_floor, over_ours, hit_rate, over_compiled
        )
