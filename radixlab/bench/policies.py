"""What eviction policies find of what could be found: a race between LRU and Belady's optimum.

Hit rates alone say little, for traffic decides how much there is to find. LRU is the start of the
scale, the offline optimum its end, and a policy stands somewhere between, or behind the start.
Everything is counted, nothing timed: the same seed gives the same figures on every machine.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from radixlab.cache.eviction import POLICIES
from radixlab.config import CacheConfig
from radixlab.workloads import Workload, conversation_trace, make_manager, open_workload, replay

START, END = "lru", "belady"
WITHOUT_PRIORITIES = "priority"
"""Not raced: no request of these workloads sets a priority, and then this policy is LRU."""
RIVALS = tuple(name for name in POLICIES if name not in (START, WITHOUT_PRIORITIES))
POOLS = {
    "scan-polluted": (800, 1500, 3000, 8000),
    "phase-shift": (1000, 1500, 2000),
    "tenants": (800, 1500, 3000),
    "agent": (1500, 2000),
    "multi-turn-chat": (500, 1000, 1500),
    "few-shot": (400, 1500),
    "document-qa": (1000, 1500, 2500),
    "tree-of-thought": (300,),
    "shared-prompt": (300,),
}
"""Blocks of 16 at which each generator is raced: from thrash to nearly enough."""
TRACE_POOLS = (50_000, 100_000)
"""The same for the production trace."""
FIRST_SEED = 100
"""Policies were tuned on seeds 0 to 9, so they are judged on others."""
LEAST_GAP = 0.05
"""Below this difference in hit rate there is no race, and no share of the gap is told."""


@dataclass(frozen=True, slots=True)
class Race:
    """One replay of one workload in one pool, by every policy."""

    workload: str
    num_blocks: int
    rates: dict[str, float]
    """Token hit rates by policy; `lru` and `belady` are among them."""

    @property
    def gap(self) -> float:
        """How far the optimum is above LRU."""
        return self.rates[END] - self.rates[START]

    def over_lru(self, policy: str) -> float:
        """How far a policy is above LRU."""
        return self.rates[policy] - self.rates[START]


@dataclass(frozen=True, slots=True)
class Standing:
    """All races of one workload in one pool, a seed each."""

    races: list[Race]

    @property
    def workload(self) -> str:
        """Whose traffic it was."""
        return self.races[0].workload

    @property
    def num_blocks(self) -> int:
        """The pool."""
        return self.races[0].num_blocks

    def rate(self, policy: str) -> float:
        """Mean token hit rate."""
        return fmean(race.rates[policy] for race in self.races)

    def least_over_lru(self, policy: str) -> float:
        """Return the worst seed's difference to LRU."""
        return min(race.over_lru(policy) for race in self.races)

    def gap_closed(self, policy: str) -> float | None:
        """Return the share of the way from LRU to the optimum; None if there is hardly a gap."""
        gap = fmean(race.gap for race in self.races)
        if gap < LEAST_GAP:
            return None
        return fmean(race.over_lru(policy) for race in self.races) / gap


def race(
    workload: Workload,
    pools: Iterable[int],
    policies: Sequence[str] = RIVALS,
    progress: Callable[[], object] | None = None,
) -> list[Race]:
    """Replay a workload in each pool under LRU, these policies and the optimum.

    `progress` is called after each replay.
    """
    races = []
    for num_blocks in pools:
        rates = {}
        for name in (START, *policies, END):
            manager = make_manager(name, CacheConfig(num_blocks), workload.requests)
            rates[name] = replay(manager, workload.requests()).token_hit_rate
            if progress:
                progress()
        races.append(Race(workload.name, num_blocks, rates))
    return races


def race_seeds(
    name: str,
    pools: Sequence[int],
    seeds: Iterable[int],
    num_requests: int,
    policies: Sequence[str] = RIVALS,
    progress: Callable[[], object] | None = None,
) -> list[Standing]:
    """Race a generator's traffic of several seeds; a standing for each pool."""
    workloads = [open_workload(name, num_requests, seed) for seed in seeds]
    rounds = [race(workload, pools, policies, progress) for workload in workloads]
    return [Standing(list(of_pool)) for of_pool in zip(*rounds, strict=True)]


def race_trace(
    num_requests: int,
    policies: Sequence[str] = RIVALS,
    progress: Callable[[], object] | None = None,
) -> list[Standing]:
    """Race the production trace, if it is here."""
    trace = conversation_trace()
    if trace is None:
        return []
    opened = open_workload(str(trace), num_requests)
    workload = Workload(trace.name, opened.num_requests, opened.requests)
    return [Standing([one]) for one in race(workload, TRACE_POOLS, policies, progress)]
