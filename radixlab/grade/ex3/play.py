"""A learner's plan on a scene: asked for where their code runs, read, and carried out here.

A plan passes a gate before anything is carried out: the five rules of the exercise text, and bounds
on its size, so that no plan costs the judge more than serving its requests does.
"""

import heapq
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from radixlab.escape import count
from radixlab.exercise.workload import BLOCK_SIZES, PATTERNS, Workload
from radixlab.grade.box import LearnerError
from radixlab.grade.ex3.oracle import (
    Answer,
    PinOrder,
    Served,
    by_arrival,
    serve,
    without_end,
)
from radixlab.grade.ex3.traffic import Scene, scene
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import rows, shown, whole, wholes

NUM_SEEDS = 2
"""Hidden workloads of each pattern."""
FEW = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
"""Requests of the scenes in which a broken rule is looked for again, to show a small one."""
MOST_POSITION = 1 << 40
MOST_TOKEN = (1 << 31) - 1
MOST_PINS_AT_ONCE = 200
"""Each pin that holds makes the next one cost the engine more."""
MOST_INSERTED = 1 << 62
ODD = (
    (1, 1, 8), (2, 1, 0), (3, 1_000, 1), (7, 2, 100), (20, 1_000, 3), (33, 4, 0),
    (48, 2, 1), (64, 8, 3), (100, 3, 200), (150, 4, 30), (240, 2, 12), (300, 6, 5),
)  # fmt: skip
"""Requests, stride and longest wait of workloads of other sizes."""
TALKATIVE = ((60, 2, 2, 1_000), (30, 4, 6, 800), (90, 16, 9, 900))
"""The same, and the length of the answers: so long that most of what turns share are answers."""
SHORT = (("agent", 80, 32), ("document-qa", 60, 32))
"""Pattern, requests and stride of short prompts: a block size fixed for long ones does harm."""
TURNS = ("multi-turn-chat", "agent")
"""The patterns in which a request may continue another."""
PATIENT = 30
"""Whoever may wait so long gets a workload with turns."""
FAULTS = (
    LearnerError, Failed, ArithmeticError, AttributeError, LookupError, TypeError, ValueError
)  # fmt: skip
"""The ways in which a plan can fail on one workload, here or in a box."""


def read(found: Any, workload: Workload) -> Answer:
    """Take a plan apart; raise `Failed` for what no plan can contain."""
    if type(found) is not dict or "wrong" in found:
        told = found.get("wrong") if type(found) is dict else found
        raise Failed(f"plan() must return a Plan, and returned {shown(told)}.")
    num = len(workload.requests)
    longest = max(len(request.tokens) for request in workload.requests)
    insertion = wholes("insertion", found.get("insertion"), num, most=MOST_INSERTED)
    if len(insertion) != num:
        raise Failed(f"insertion was asked {num:,} times and answered {len(insertion):,} times.")
    return Answer(
        tuple(wholes("order", found.get("order"), num)),
        whole("block_size", found.get("block_size")),
        tuple(_pin(pin, num, longest) for pin in rows("pins", found.get("pins"), 2 * num)),
        tuple(insertion),
        tuple(wholes("hot_spot", found.get("hot_spot"), longest, 0, MOST_TOKEN)),
    )


def _pin(pin: Any, num: int, longest: int) -> PinOrder:
    if type(pin) is not list or len(pin) != 3:
        raise Failed(f"pins must be Pin objects, and one of them is {shown(pin)}.")
    tokens = wholes("a pin's tokens", pin[0], longest, 0, MOST_TOKEN)
    return PinOrder(
        tuple(tokens),
        whole("from_", pin[1], -MOST_POSITION, MOST_POSITION),
        whole("until", pin[2], -MOST_POSITION, MOST_POSITION),
    )


def broken_rule(answer: Answer, workload: Workload) -> str | None:
    """Say which rule of the gate a plan breaks, if it breaks one."""
    if answer.block_size not in BLOCK_SIZES:
        return f"block_size is {answer.block_size}, and must be one of {BLOCK_SIZES}."
    rules: tuple[Callable[[Answer, Workload], str | None], ...] = (
        _each_once, _turns_in_order, _nobody_waits, _amounts, _pins_begin_and_end,
        _pins_of_requests, _few_pins_at_once,
    )  # fmt: skip
    return next(filter(None, (rule(answer, workload) for rule in rules)), None)


def _each_once(answer: Answer, workload: Workload) -> str | None:
    num, served = len(workload.requests), set(answer.order)
    missing = sorted(set(range(num)) - served)
    if missing:
        are = count(len(missing), f"of {num} is", f"of {num} are")
        return f"Request {missing[0]} is not in order ({are} missing)."
    return None  # as many entries as requests at most, and none is missing: each is there once


def _turns_in_order(answer: Answer, workload: Workload) -> str | None:
    position = {index: position for position, index in enumerate(answer.order)}
    for request in workload.requests:
        if request.after is not None and position[request.after] > position[request.index]:
            return (
                f"Request {request.index} is served at position {position[request.index]}, before "
                f"request {request.after} (position {position[request.after]}), which it continues."
            )
    return None


def _nobody_waits(answer: Answer, workload: Workload) -> str | None:
    for position, index in enumerate(answer.order):
        if position - index > workload.max_wait:
            return (
                f"Request {index} is served at position {position}: it waits {position - index} "
                f"positions, and {workload.max_wait} is the most."
            )
    return None


def _amounts(answer: Answer, workload: Workload) -> str | None:
    for index, amount in enumerate(answer.insertion):
        if amount < 0:
            return f"insertion returned {amount} for request {index}; it must return 0 or more."
    return None


def _pins_begin_and_end(answer: Answer, workload: Workload) -> str | None:
    num = len(workload.requests)
    for number, pin in enumerate(answer.pins):
        if not 0 <= pin.from_ < pin.until or pin.from_ > num:
            return (
                f"Pin {number} holds from position {pin.from_} to {pin.until}: it must begin at a "
                f"position from 0 to {num}, and end later."
            )
    return None


def _pins_of_requests(answer: Answer, workload: Workload) -> str | None:
    if not answer.pins:
        return None
    known = sorted(_bytes(request.tokens) for request in workload.requests)
    for number, pin in enumerate(answer.pins):
        if not pin.tokens:
            return f"Pin {number} has no tokens."
        wanted = _bytes(pin.tokens)
        nearest = bisect_left(known, wanted)
        if not any(one.startswith(wanted) for one in known[nearest : nearest + 1]):
            return f"Pin {number} has {len(pin.tokens)} tokens; no request begins with them."
    return None


def _bytes(tokens: Sequence[int]) -> bytes:
    return b"".join(token.to_bytes(4, "big") for token in tokens)


def _few_pins_at_once(answer: Answer, workload: Workload) -> str | None:
    ends: list[int] = []
    for pin in sorted(answer.pins, key=lambda pin: pin.from_):
        while ends and ends[0] <= pin.from_:
            heapq.heappop(ends)
        heapq.heappush(ends, pin.until)
        if len(ends) > MOST_PINS_AT_ONCE:
            return (
                f"At position {pin.from_} the plan has more than {MOST_PINS_AT_ONCE} pins at the "
                f"same time."
            )
    return None


@dataclass(frozen=True, slots=True)
class Run:
    """A plan that was carried out, and what it found."""

    scene: Scene
    answer: Answer
    served: Served

    @property
    def hit_rate(self) -> float:
        """Share of the prompt tokens that was found."""
        return self.served.hit_tokens / self.prompt_tokens

    @property
    def over_arrival(self) -> float:
        """How much more of the prompt tokens it found than order of arrival."""
        base = by_arrival(self.scene).hit_tokens
        return (self.served.hit_tokens - base) / self.prompt_tokens

    @property
    def share(self) -> float:
        """Return the share of the way from order of arrival to a cache without end."""
        base = by_arrival(self.scene).hit_tokens
        return (self.served.hit_tokens - base) / max(1, without_end(self.scene).hit_tokens - base)

    @property
    def prompt_tokens(self) -> int:
        """Tokens of all prompts."""
        return sum(len(request.prompt) for request in self.scene.requests())


def run(trial: Trial, where: Scene, with_canary: bool = False) -> Run:
    """Ask for a plan and carry it out, once; raise `Failed` if it does not pass the gate."""
    if (where, with_canary) not in trial.memory:
        answer = _gated(trial, where)
        served = serve(answer, where.requests(), where.workload(), with_canary)
        trial.memory[where, with_canary] = Run(where, answer, served)
    known: Run = trial.memory[where, with_canary]
    return known


def _gated(trial: Trial, where: Scene) -> Answer:
    answer = ask(trial, where)
    broken = broken_rule(answer, where.workload())
    if broken is None:
        return answer
    for num in FEW:  # the smallest that shows the same kind of fault teaches most
        smaller = replace(where, num_requests=num)
        found = _broken(trial, smaller) if num < where.num_requests else None
        if found and _kind(found) == _kind(broken):
            where, broken = smaller, found
            break
    raise Failed(
        f"On {where.pattern}, {where.num_requests} requests: {broken}", scenario=code(where)
    )


def _broken(trial: Trial, where: Scene) -> str | None:
    """Say which rule is broken there; None if the plan fails in another way."""
    with suppress(*FAULTS):
        return broken_rule(ask(trial, where), where.workload())
    return None


def _kind(told: str) -> str:
    """Return the message about a broken rule without its numbers."""
    return re.sub(r"-?\d+", "", told)


def ask(trial: Trial, where: Scene) -> Answer:
    """Ask for a plan, and read it."""
    host = "radixlab.exercise.plan_host:ask"
    found = trial.call(host, trial.learner.plan, *where.facts())
    try:
        return read(found, where.workload())
    except Failed as error:
        about = f"On {where.pattern}, {where.num_requests} requests: "
        raise Failed(about + str(error), scenario=code(where)) from error


def pattern_runs(trial: Trial, pattern: str) -> list[Run]:
    """Carry out the plans for one of the four patterns, on hidden seeds."""
    seeds = trial.random.integers(1_000, 1_000_000, NUM_SEEDS)
    return [run(trial, scene(pattern, int(seed))) for seed in seeds]


def odd_scenes(trial: Trial) -> list[Scene]:
    """Return workloads of other sizes: few requests or many, short or long, strict or patient."""
    rng, found = trial.random, list[Scene]()
    for number, (num_requests, stride, max_wait) in enumerate(ODD):
        pattern: str = PATTERNS[(number + trial.seed) % len(PATTERNS)]
        if max_wait >= PATIENT:  # whoever may wait long is tempted to overtake an earlier turn
            pattern = TURNS[number % 2]
        more, seed = rng.integers(1 + num_requests // 10), rng.integers(1_000, 1_000_000)
        found.append(Scene(pattern, int(seed), num_requests + int(more), stride, max_wait))
    for number, (num_requests, stride, max_wait, output) in enumerate(TALKATIVE):
        pattern, drawn = TURNS[number % 2], int(rng.integers(1_000, 1_000_000))
        found.append(Scene(pattern, drawn, num_requests, stride, max_wait, output))
    for pattern, num_requests, stride in SHORT:
        found.append(Scene(pattern, int(rng.integers(1_000, 1_000_000)), num_requests, stride))
    pair = Scene("few-shot", int(rng.integers(1_000, 1_000_000)), num_requests=2)
    return [*found, pair]  # only the header is shared: the hot spot saves 8 tokens, once


def odd_runs(trial: Trial) -> list[Run]:
    """Carry out the plans for workloads of other sizes; leave out those that break a rule.

    These cost the points of `rules` and `regression`. Raises the first fault if most have one.
    """
    runs, faults = [], list[Exception]()
    for where in odd_scenes(trial):
        try:
            runs.append(run(trial, where, with_canary=True))
        except FAULTS as error:
            faults.append(error)
    if len(faults) > len(runs):
        raise faults[0]
    return runs


def code(scene: Scene) -> str:
    """Return lines that try the plan on a scene, to paste below one's own."""
    where = f'"{scene.pattern}", seed={scene.seed}, num_requests={scene.num_requests}'
    where += f", stride={scene.stride}" if scene.stride > 1 else ""
    where += f", max_wait={scene.max_wait}" if scene.max_wait is not None else ""
    where += f", output={scene.output}" if scene.output is not None else ""
    return f"from radixlab.grade.ex3 import try_plan\ntry_plan(plan, {where})"
