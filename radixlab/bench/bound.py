"""Does any policy find more than Belady's rule? Every policy races it, on every kind of traffic.

A search for a counterexample, not a proof: `cache/eviction/belady.py` says when the rule is
optimal, and a test compares it with an exhaustive search of small cases. Only hits are counted,
no time is measured.
"""

from collections.abc import Iterable, Sequence
from statistics import fmean

from radixlab.bench.policies import END, START, Race, race
from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.workloads import GENERATORS, Workload, open_workload, replay

SHARES = (4, 2)
"""The pools hold a quarter and a half of the blocks that the whole traffic stores."""
ENDLESS_BLOCKS = 100_000


def bound_races(num_requests: int, seeds: Iterable[int]) -> list[Race]:
    """Race every policy on every generator, each with these seeds and in two pools."""
    drawn = [(name, seed) for name in GENERATORS for seed in seeds]
    workloads = [open_workload(name, num_requests, seed) for name, seed in drawn]
    return [one for workload in workloads for one in race(workload, tight_pools(workload))]


def tight_pools(workload: Workload) -> list[int]:
    """Return pools, in blocks, that are too small for the traffic but hold its largest request."""
    manager = KVCacheManager(CacheConfig(ENDLESS_BLOCKS))
    replay(manager, workload.requests())
    block_size, num_stored = manager.config.block_size, manager.stats().num_cached_blocks
    largest = max(-(-request.num_tokens // block_size) for request in workload.requests())
    return [max(largest, num_stored // share) for share in SHARES]


def above_the_bound(races: Iterable[Race]) -> list[tuple[Race, str]]:
    """List the runs in which a policy found more than the optimum, with the policy's name."""
    return [
        (one, name) for one in races for name, rate in one.rates.items() if rate > one.rates[END]
    ]


def bound_table(races: Sequence[Race]) -> str:
    """Tell for each generator what LRU, the best policy of each race and the optimum found."""
    lines = [f"{'token hit rate':16}{'lru':>8}{'best':>8}{'belady':>8}"]
    for workload in dict.fromkeys(one.workload for one in races):
        here = [one.rates for one in races if one.workload == workload]
        best = [max(rate for name, rate in rates.items() if name != END) for rates in here]
        columns = fmean(rates[START] for rates in here), fmean(best), fmean(r[END] for r in here)
        lines.append(f"{workload:16}" + "".join(f"{rate:8.1%}" for rate in columns))
    num_runs = sum(len(one.rates) - 1 for one in races)
    num_above = len(above_the_bound(races))
    return "\n".join([*lines, f"{num_runs} runs, {num_above} of them above belady"])
