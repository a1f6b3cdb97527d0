"""What managing the cache costs a request: our manager, the naive twin, and the floor.

Thread CPU time from match to release, the collector as users have it. The contenders take turns
within a round, each with an empty cache, and ratios are formed inside the round, so a slow spell of
the machine hits all alike.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from radixlab.bench.floor import floor_cpu_us
from radixlab.bench.measure import Spread, ratios, spread
from radixlab.config import CacheConfig
from radixlab.workloads import Workload, conversation_trace, make_manager, open_workload, replay

POOLS = (50_000, 250_000)
CONTENDERS = ("radixlab", "naive", "floor")
FALLBACK = "document-qa"


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One contender at one pool size."""

    contender: str
    num_blocks: int
    cpu_us: Spread
    """Thread CPU µs per request, over the rounds."""
    over_floor: Spread
    """This ÷ floor, formed inside each round."""
    token_hit_rate: float | None
    """None for the floor, which caches nothing."""


def bench_workload(limit: int) -> Workload:
    """Open the conversation trace, or where there is none a generator; its name says which."""
    trace = conversation_trace()
    if trace is None:
        return open_workload(FALLBACK, limit)
    workload = open_workload(str(trace), limit)
    return Workload(trace.name, workload.num_requests, workload.requests)


def expanded(workload: Workload) -> Workload:
    """Make all of a workload's tokens now, so that making them disturbs no measurement."""
    requests = list(workload.requests())
    return Workload(workload.name, workload.num_requests, lambda: iter(requests))


def measure_trace(
    workload: Workload,
    rounds: int,
    pools: tuple[int, ...] = POOLS,
    block_size: int = 16,
    progress: Callable[[], object] | None = None,
) -> list[TraceRow]:
    """Replay the workload `rounds` times through all contenders; `progress` after each replay."""
    cpu_us: dict[tuple[str, int], list[float]] = {(c, p): [] for p in pools for c in CONTENDERS}
    hit_rates: dict[tuple[str, int], float | None] = {}
    workload = expanded(workload)
    for _ in range(rounds):
        for contender, pool in cpu_us:
            config = CacheConfig(num_blocks=pool, block_size=block_size)
            us, hit_rates[contender, pool] = _run(contender, config, workload)
            cpu_us[contender, pool].append(us)
            if progress:
                progress()
    return list(_rows(cpu_us, hit_rates))


def _run(contender: str, config: CacheConfig, workload: Workload) -> tuple[float, float | None]:
    """Return CPU µs per request and the token hit rate of one replay, from an empty cache."""
    if contender == "floor":
        return floor_cpu_us(config, workload.requests), None
    manager = make_manager("lru" if contender == "radixlab" else contender, config)
    result = replay(manager, workload.requests())
    return result.cpu_us_per_request, result.token_hit_rate


def _rows(
    cpu_us: dict[tuple[str, int], list[float]], hit_rates: dict[tuple[str, int], float | None]
) -> Iterator[TraceRow]:
    for (contender, pool), rounds in cpu_us.items():
        over_floor = ratios(rounds, cpu_us["floor", pool])
        yield TraceRow(contender, pool, spread(rounds), over_floor, hit_rates[contender, pool])
