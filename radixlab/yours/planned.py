"""A learner's plan in the engine: the scheduler's order, the manager's pins, blocks, insertion.

    order        an order of the scheduler, named "yours"
    pins         `pin` and `unpin` of the manager, as positions go by
    insertion    how much of a request `commit` registers
    block size   the cache's

The answers are those of the recording: a runner repeats them, and checks every read.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from radixlab.cache.manager import KVCacheManager
from radixlab.cache.results import Transfer
from radixlab.cache.tokens import TokenArray
from radixlab.cache.work import Work
from radixlab.config import CacheConfig, SchedulerConfig
from radixlab.engine import Engine
from radixlab.escape import count
from radixlab.exercise.plan_host import answer
from radixlab.exercise.workload import Plan, Workload
from radixlab.grade.ex3.oracle import Answer, Pins
from radixlab.grade.ex3.play import broken_rule, read
from radixlab.grade.ex3.traffic import Scene
from radixlab.grade.items import Failed
from radixlab.guarded_call import CallFailed, Watch
from radixlab.model.counting import CountingRunner
from radixlab.sched.order import ORDERS, Waiting
from radixlab.workloads import Request
from radixlab.yours.fault import PartFault

ORDER = "yours"
"""The name under which a plan's order stands among the scheduler's."""
VOCAB_SIZE = 2**31 - 1
MANY = 1 << 30
LIMIT_S = 60.0
"""Seconds of CPU time for one plan, which may look at a whole workload."""
RULES = (
    ("waits", "S3"),
    ("not in order", "S5"),
    ("before request", "S5"),
    ("Pin ", "E9"),
    ("pins", "E9"),
    ("block_size", "M12"),
    ("insertion", "M12"),
)
"""Phrases in the messages of the exercise's check, each with the rule that such a plan breaks."""
ANSWER = "S5"
"""The rule that a plan is for: every request is served. An answer that is not a plan breaks it."""

Planner = Callable[[Workload], Any]


def asked_plan(plan: Planner, where: Scene, watch: Watch | None = None) -> Answer:
    """Ask for a plan, and check it; raise `PartFault` for one that breaks a rule."""
    workload = where.workload()
    call = f"plan({where.pattern}, {count(where.num_requests, 'request')})"
    try:
        found = read((watch or Watch(LIMIT_S)).call(answer, plan, workload), workload)
    except CallFailed as error:
        raise PartFault("plan", ANSWER, call, f"it {error}") from None
    except Failed as error:
        raise PartFault("plan", ANSWER, call, str(error).rstrip(".")) from None
    if broken := broken_rule(found, workload):
        rule = next((rule for words, rule in RULES if words in broken), ANSWER)
        raise PartFault("plan", rule, call, broken.rstrip("."))
    return found


def nothing_planned(workload: Workload) -> Plan:
    """Return the plan that plans nothing: order of arrival, blocks of 16, all registered."""
    order = [request.index for request in workload.requests]
    return Plan(order, 16, [], lambda request: len(request.tokens), ())


def planned_config(plan: Answer, workload: Workload) -> CacheConfig:
    """Return a pool in blocks of the planned size, with the workload's memory and pin budget."""
    size = plan.block_size
    budget = workload.pin_budget_tokens // size
    return CacheConfig(workload.num_blocks(size), size, pin_budget_blocks=budget)


@dataclass(slots=True)
class Recorded:
    """The recorded answer of a request: the runner repeats it, token by token."""

    tokens: TokenArray
    num_said: int = 0


class RecordedRunner:
    """A runner that computes nothing: the canary checks every read, and answers are repeated."""

    vocab_size = VOCAB_SIZE
    max_context_len: int | None = None

    def __init__(self, cache: CacheConfig) -> None:
        self._counting = CountingRunner(cache, VOCAB_SIZE)
        self.transfer: Callable[[Sequence[Transfer]], None] = self._counting.transfer
        self.broken: Callable[[Any], list[int]] = self._counting.broken
        self.broken_blocks: Callable[[Sequence[int]], list[int]] = self._counting.broken_blocks

    def forward(self, work: Sequence[Work]) -> TokenArray:
        """Write and read the fingerprints."""
        return self._counting.forward(work)

    def takes(self, sampler: object) -> bool:
        """Whether this is a recorded answer."""
        return isinstance(sampler, Recorded)

    def rewind(self, sampler: Any, num_tokens: int) -> None:
        """Go back to the token that comes next."""
        sampler.num_said = num_tokens

    def choose(self, logits: Any, samplers: Sequence[Any]) -> list[int]:
        """Return the next token of each answer."""
        said = [int(each.tokens[each.num_said]) for each in samplers]
        for each in samplers:
            each.num_said += 1
        return said


@contextmanager
def _order_of(plan: Answer) -> Iterator[None]:
    """Let the scheduler know the plan's order for a while."""
    position = {index: number for number, index in enumerate(plan.order)}

    def planned(waiting: Sequence[Waiting]) -> list[Waiting]:
        return sorted(waiting, key=lambda request: position[request.arrival])

    ORDERS[ORDER] = planned
    try:
        yield
    finally:
        del ORDERS[ORDER]


@dataclass(frozen=True, slots=True)
class Served:
    """What a plan found in the engine."""

    order: tuple[int, ...]
    """The requests as the engine admitted them."""
    hit_tokens: int
    prompt_tokens: int
    answers: tuple[tuple[int, ...], ...]
    """The tokens served, by request."""

    @property
    def hit_rate(self) -> float:
        """Share of the prompt tokens that was found."""
        return self.hit_tokens / self.prompt_tokens


def serve_planned(plan: Answer, requests: Sequence[Request], manager: KVCacheManager) -> Served:
    """Serve every request through the engine, one at a time, as planned.

    `manager` is an empty one of `planned_config`. An `OwnManager` registers no more of a request
    than the plan says; another one registers everything.
    """
    config = SchedulerConfig(
        order=ORDER, max_passes=MANY, max_running=1, max_batch_tokens=MANY,
        max_lookups=max(1, len(requests)), watermark_blocks=0,
    )  # fmt: skip
    with _order_of(plan):
        engine = Engine(manager, RecordedRunner(manager.config), config)
    asked = [
        engine.add_request(each.prompt, len(each.output), sampler=Recorded(each.output))
        for each in requests
    ]
    pins, admitted, left = Pins(manager, plan.pins), list[int](), dict(enumerate(asked))
    while engine.has_work:
        if not engine.scheduler.running and len(admitted) < len(plan.order):
            pins.move_to(len(admitted))
            if hasattr(manager, "most_tokens"):
                manager.most_tokens = plan.insertion[plan.order[len(admitted)]]
        engine.step()
        for index in [index for index, request in left.items() if request.output]:
            admitted.append(index)  # as it happened, whatever was planned
            del left[index]
    pins.move_to(len(plan.order))
    return Served(
        tuple(admitted),
        sum(each.num_cached_tokens for each in asked),
        sum(len(each.prompt) for each in requests),
        tuple(tuple(each.output) for each in asked),
    )


def recorded_answers(requests: Sequence[Request]) -> tuple[tuple[int, ...], ...]:
    """Return the answers of the recording, by request."""
    return tuple(tuple(np.asarray(each.output).tolist()) for each in requests)
