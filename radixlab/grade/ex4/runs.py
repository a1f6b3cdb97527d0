"""Traffic through the real engine: a learner's policy between LRU and the optimum.

Hidden traces are seeds: the same seed gives the same requests everywhere.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from radixlab.cache import KVCacheManager
from radixlab.cache.errors import PolicyError
from radixlab.cache.protocols import EvictionPolicy
from radixlab.config import CacheConfig
from radixlab.grade.ex4.hosted import Counts, Hosted
from radixlab.grade.items import Trial
from radixlab.workloads import GENERATORS, Request
from radixlab.workloads.replay import ReplayResult, make_manager, replay

NUM_REQUESTS = 400
LEAST_REQUESTS = 20
"""Of a tenant, to be judged: below that its hit rate is chance."""


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


@dataclass(frozen=True, slots=True)
class Run:
    """A learner's policy on one trace."""

    trace: Trace
    result: ReplayResult
    counts: Counts

    @property
    def over_lru(self) -> float:
        """How much more of the prompt tokens it found than LRU."""
        return self.result.token_hit_rate - under_lru(self.trace).token_hit_rate

    @property
    def gap_closed(self) -> float:
        """Return the share of the way from LRU to the optimum."""
        return self.over_lru / (optimum(self.trace) - under_lru(self.trace).token_hit_rate)


@lru_cache(maxsize=4)
def _requests(workload: str, seed: int) -> list[Request]:
    return list(GENERATORS[workload](NUM_REQUESTS, seed))


@lru_cache(maxsize=32)
def under_lru(trace: Trace) -> ReplayResult:
    """Replay a trace under LRU."""
    return replay(make_manager("lru", trace.config), trace.requests())


@lru_cache(maxsize=32)
def optimum(trace: Trace) -> float:
    """Return the most that can be found of a trace: Belady's token hit rate."""
    requests = trace.requests()
    manager = make_manager("belady", trace.config, lambda: requests)
    return replay(manager, requests).token_hit_rate


def host(trial: Trial, name: str) -> Any:
    """Make a learner's policy, and its host, where the learner's code runs."""
    return trial.call("radixlab.exercise.policy:make_host", getattr(trial.learner, name))


def run(trial: Trial, name: str, trace: Trace) -> Run:
    """Replay a trace under a learner's policy.

    Raises
    ------
    IllegalVictim
        It named something that may not be evicted.
    """
    if (name, trace) not in trial.memory:
        policy = Hosted(host(trial, name))
        result = replay_under(policy, trace.config, trace.requests())
        trial.memory[name, trace] = Run(trace, result, policy.counts)
    known: Run = trial.memory[name, trace]
    return known


def replay_under(
    policy: EvictionPolicy, config: CacheConfig, requests: list[Request]
) -> ReplayResult:
    """Replay; what a policy raised comes out as it was."""
    try:
        return replay(KVCacheManager(config, policy=policy), requests)
    except PolicyError as error:
        raise (error.__cause__ or error) from None


def tenant_rates(trace: Trace, result: ReplayResult) -> dict[str, float]:
    """Return the token hit rate of every namespace that sent at least `LEAST_REQUESTS`."""
    totals: dict[str, list[int]] = {}
    for request, (prompt, hits) in zip(trace.requests(), result.by_request, strict=True):
        name = request.namespace[-1] if request.namespace else ""
        counts = totals.setdefault(str(name), [0, 0, 0])
        for place, count in enumerate((prompt, hits, 1)):
            counts[place] += count
    return {
        name: hits / prompt
        for name, (prompt, hits, requests) in sorted(totals.items())
        if requests >= LEAST_REQUESTS
    }
