"""A learner's plan on a scene: asked for where their code runs, carried out here."""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from radixlab.exercise.workload import PATTERNS
from radixlab.grade.box import LearnerError
from radixlab.grade.ex3.answers import Answer, broken_rule, code, read
from radixlab.grade.ex3.known import best_known, by_arrival
from radixlab.grade.ex3.scenes import Scene, scene
from radixlab.grade.ex3.serving import Served, serve
from radixlab.grade.items import Failed, Trial

FEW = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
"""Requests of the scenes in which a broken rule is looked for again, to show a small one."""
NUM_SEEDS = 3
LEAST_SHARE = 0.1
"""Of the way from order of arrival to the best known: below that it is no plan."""


@dataclass(frozen=True, slots=True)
class Run:
    """A plan and what came of it."""

    scene: Scene
    answer: Answer
    served: Served

    @property
    def hit_rate(self) -> float:
        """Share of the prompt tokens that was found."""
        return self.served.hit_tokens / self._prompt_tokens

    @property
    def over_arrival(self) -> float:
        """How much more of the prompt tokens it found than order of arrival."""
        base = by_arrival(self.scene).hit_tokens
        return (self.served.hit_tokens - base) / self._prompt_tokens

    @property
    def share(self) -> float:
        """Return the share of the way from order of arrival to the best known plan."""
        base = by_arrival(self.scene).hit_tokens
        return (self.served.hit_tokens - base) / max(1, best_known(self.scene).hit_tokens - base)

    @property
    def _prompt_tokens(self) -> int:
        return sum(len(request.prompt) for request in self.scene.requests())


def run(trial: Trial, where: Scene, with_canary: bool = False) -> Run:
    """Ask for a plan and carry it out; raise `Failed` if it does not pass the gate."""
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
        smaller = Scene(where.pattern, where.seed, num, where.stride)
        found = _broken(trial, smaller) if num < where.num_requests else None
        if found and _kind(found) == _kind(broken):
            where, broken = smaller, found
            break
    raise Failed(
        f"On {where.pattern}, {where.num_requests} requests: {broken}", scenario=code(where)
    )


def _broken(trial: Trial, where: Scene) -> str | None:
    """Say which rule is broken there; a plan that fails otherwise shows nothing."""
    with suppress(LearnerError, Failed, ArithmeticError, LookupError, ValueError):
        return broken_rule(ask(trial, where), where.workload())
    return None


def _kind(told: str) -> str:
    """Return what is told of a broken rule without its numbers."""
    return re.sub(r"\d+", "", told)


def ask(trial: Trial, where: Scene) -> Answer:
    """Ask for a plan, and read it."""
    host = "radixlab.exercise.plan_host:ask"
    return read(trial.call(host, trial.learner.plan, *where.facts()))


def pattern(trial: Trial) -> str:
    """Return the pattern that the learner chose."""
    chosen: Any = trial.learner.PATTERN
    if chosen is None:  # nothing is begun: a plan that is not written says so itself
        ask(trial, scene(PATTERNS[0], 0, 1))
    if chosen not in PATTERNS:
        raise Failed(f"PATTERN must be one of {', '.join(PATTERNS)}, and is {chosen!r:.80}.")
    name: str = chosen
    return name


def chosen_runs(trial: Trial) -> list[Run]:
    """Carry the plans for the chosen pattern out, on hidden seeds."""
    name = pattern(trial)
    seeds = trial.random.integers(1_000, 1_000_000, NUM_SEEDS)
    return [run(trial, scene(name, int(seed))) for seed in seeds]


def other_runs(trial: Trial) -> list[Run]:
    """Carry one plan out for each of the other patterns."""
    names = [name for name in PATTERNS if name != pattern(trial)]
    seeds = trial.random.integers(1_000, 1_000_000, NUM_SEEDS + len(names))[NUM_SEEDS:]
    return [run(trial, scene(name, int(seed))) for name, seed in zip(names, seeds, strict=True)]


def hidden_seed(trial: Trial) -> int:
    """Return a seed for short scenes."""
    return int(trial.random.integers(1_000, 1_000_000))


def require_a_plan(trial: Trial) -> None:
    """Raise `Failed` if the plan does nothing, so that there is nothing to judge about it."""
    share = mean_share(chosen_runs(trial))
    if share < LEAST_SHARE:
        raise Failed(
            f"On {pattern(trial)} the plan goes {share:.2f} of the way from order of arrival to "
            f"the best known; from {LEAST_SHARE} on there is something to judge here."
        )


def mean_share(runs: list[Run]) -> float:
    """Return the mean share of the way."""
    return sum(one.share for one in runs) / len(runs)
