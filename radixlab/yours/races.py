"""Races of a learner's engine: traces under tree and policy, recorded traffic under the plan.

Each race is counted, never timed, so that the same parts get the same figures on every machine.
The two ends of the scale stand beside each figure: what the engine finds with nothing chosen (LRU,
order of arrival), and what could be found at most.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.proof.canary import KVCanary
from radixlab.escape import count
from radixlab.grade.ex3.oracle import Pins, by_arrival, steps, without_end
from radixlab.grade.ex3.traffic import scene, short
from radixlab.guarded_call import Watch
from radixlab.workloads import (
    Request,
    Workload,
    conversation_trace,
    make_manager,
    open_workload,
    replay,
)
from radixlab.workloads.doubts import HASH_BLOCK_TOKENS
from radixlab.workloads.replay import ReplayResult
from radixlab.yours.fault import PartFault
from radixlab.yours.manager import OwnManager
from radixlab.yours.parts import Parts
from radixlab.yours.planned import (
    asked_plan,
    nothing_planned,
    planned_config,
    recorded_answers,
    serve_planned,
)

NUM_REQUESTS = 100
SEED = 7
TRACES = {"scan-polluted": 1_500, "tenants": 2_000, "multi-turn-chat": 1_000}
"""Generated traces, and blocks of 16 for them: tree and policy run them."""
NUM_PLANNED = 80
PLANNED = ("document-qa", "agent")
"""Recorded traffic that the plan runs, too."""
LEAST_REQUESTS = 3
"""A client with fewer requests does not count for fairness."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What an engine found of one workload."""

    workload: str
    hit_rate: float
    evicted_blocks: int
    fairness: float
    """Jain's index of the clients' hit rates: 1 if all find the same share, 1/n if one finds all.
    """
    base: float
    """The hit rate with nothing chosen."""
    bound: float
    """The most that can be found: by Belady's rule, or with unlimited memory if a plan reorders."""
    faults: tuple[PartFault, ...] = field(default=())
    num_lost_tokens: int = 0
    """Tokens that were cached, and that the learner's tree did not find."""

    @property
    def way(self) -> float:
        """The share of the way from the base to the bound."""
        return (self.hit_rate - self.base) / (self.bound - self.base)


def race(workload: str, parts: Parts, watch: Watch | None = None) -> Figures:
    """Run a workload under a learner's parts; those that are None are the engine's own."""
    if workload in PLANNED:
        return _planned(workload, parts, watch)
    trace, num_blocks = _trace(workload), TRACES[workload]
    manager = OwnManager(
        CacheConfig(num_blocks),
        policy=parts.policy,
        make_tree=parts.make_tree,
        watch=watch,
    )
    result = replay(manager, trace)
    manager.proof()
    return _figures(workload, result.by_request, trace, manager)


def race_on(
    trace: Workload, num_blocks: int, block_size: int, parts: Parts
) -> tuple[ReplayResult, OwnManager]:
    """Run any workload under tree and policy, such as a production trace."""
    manager = OwnManager(
        CacheConfig(num_blocks, block_size),
        policy=parts.policy,
        make_tree=parts.make_tree,
    )
    return replay(manager, trace.requests()), manager


CONVERSATION_REQUESTS, CONVERSATION_BLOCKS = 500, 3_000


def conversation(parts: Parts) -> str:
    """Race tree and policy on the production trace; say so where the trace is not here."""
    path = conversation_trace()
    if path is None:
        return "The conversation trace is not here: set RADIXLAB_TRACES to its folder."
    trace = open_workload(str(path), CONVERSATION_REQUESTS)
    own, manager = race_on(trace, CONVERSATION_BLOCKS, HASH_BLOCK_TOKENS, parts)
    config = manager.config
    lines = [f"yours   {own.token_hit_rate:6.1%}, {own.evicted_blocks:,} blocks evicted"]
    for name in ("lru", "belady"):
        found = replay(make_manager(name, config, trace.requests), trace.requests())
        lines.append(
            f"{name:7} {found.token_hit_rate:6.1%}, {found.evicted_blocks:,} blocks evicted"
        )
    return "\n".join([*lines, *map(str, manager.faults)])


def _planned(pattern: str, parts: Parts, watch: Watch | None) -> Figures:
    """Run recorded traffic in the order of the plan; a plan that breaks a rule is replaced."""
    where, faults = scene(pattern, SEED, NUM_PLANNED), list[PartFault]()
    workload, requests = where.workload(), where.requests()
    plan = None
    if parts.plan is not None:
        try:
            plan = asked_plan(parts.plan.make, where, watch)
        except PartFault as fault:
            faults.append(fault)
    answer = plan or asked_plan(nothing_planned, where)
    manager = OwnManager(
        planned_config(answer, workload),
        policy=parts.policy,
        make_tree=parts.make_tree,
        watch=watch,
    )
    canary = KVCanary(manager.config.num_blocks, manager.config.block_size)
    hits = list(steps(manager, answer, requests, Pins(manager, answer.pins), canary))
    manager.proof()
    served = [requests[index] for index in answer.order]
    found = [(len(each.prompt), hit) for each, hit in zip(served, hits, strict=True)]
    manager.faults[:0] = faults
    return _figures(pattern, found, served, manager)


def _figures(
    workload: str,
    found: Iterable[tuple[int, int]],
    requests: Iterable[Request],
    manager: OwnManager,
) -> Figures:
    pairs = list(found)
    base, bound = scale(workload)
    return Figures(
        workload,
        sum(hit for _, hit in pairs) / sum(size for size, _ in pairs),
        manager.stats().evicted_blocks,
        fairness(requests, pairs),
        base,
        bound,
        tuple(manager.faults),
        manager.own_trees.num_lost_tokens if manager.own_trees else 0,
    )


def through_the_scheduler(parts: Parts, pattern: str = "document-qa", num: int = 40) -> str:
    """Serve recorded traffic through engine and scheduler as planned, and say how it went."""
    where = short(pattern, SEED, num)
    make_plan = parts.plan.make if parts.plan else nothing_planned
    try:
        plan = asked_plan(make_plan, where)
    except PartFault as fault:
        return f"{fault}\nNothing was served by this plan."
    config, requests = planned_config(plan, where.workload()), where.requests()
    manager = OwnManager(config, policy=parts.policy, make_tree=parts.make_tree)
    served = serve_planned(plan, requests, manager)
    manager.proof()
    is_order, is_same = served.order == plan.order, served.answers == recorded_answers(requests)
    told = [
        f"{count(num, 'request')} in blocks of {plan.block_size}, {count(len(plan.pins), 'pin')}:",
        f"{served.hit_rate:.1%} of the prompt tokens found",
        f"in the planned order: {is_order}; the recorded answers: {is_same}",
    ]
    return "\n".join([*told, *map(str, manager.faults)])


@lru_cache(maxsize=8)
def scale(workload: str) -> tuple[float, float]:
    """Return the hit rates with nothing chosen, and of the best that is possible."""
    if workload in PLANNED:
        where = scene(workload, SEED, NUM_PLANNED)
        total = sum(len(request.prompt) for request in where.requests())
        return by_arrival(where).hit_tokens / total, without_end(where).hit_tokens / total
    config, trace = CacheConfig(TRACES[workload]), _trace(workload)
    base = replay(KVCacheManager(config), trace).token_hit_rate
    return base, replay(make_manager("belady", config, lambda: trace), trace).token_hit_rate


@lru_cache(maxsize=4)
def _trace(workload: str) -> list[Request]:
    return list(open_workload(workload, NUM_REQUESTS, seed=SEED).requests())


def fairness(requests: Iterable[Request], found: Iterable[tuple[int, int]]) -> float:
    """Return Jain's index of the hit rates of the clients: tenants, conversations, documents.

    (Jain, Chiu and Hawe 1984.) Clients of fewer than three requests do not count; 1 if no two
    clients are left.
    """
    sizes, hits = defaultdict(list), defaultdict(list)
    for request, (size, hit) in zip(requests, found, strict=False):
        client = request.namespace or (request.label or "").split(",")[0]
        sizes[client].append(size)
        hits[client].append(hit)
    rates = [sum(hits[c]) / sum(sizes[c]) for c in sizes if len(sizes[c]) >= LEAST_REQUESTS]
    squares = sum(rate**2 for rate in rates)
    return sum(rates) ** 2 / (len(rates) * squares) if squares else 1.0
