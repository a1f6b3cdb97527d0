"""A simple plan of the judge's own, to measure what planning for a workload costs on this machine.

It does what every plan has to do: number the prefixes, and compare each request with those that
come soon after it. It knows nothing of what the learner's plan does.
"""

import time
from collections.abc import Sequence
from typing import Any

from radixlab.exercise.plan_host import ask
from radixlab.exercise.workload import Plan, Request, Workload
from radixlab.grade.ex3.traffic import Scene

STEP = 8
LEAST_S = 1e-3
"""A clock may tick in steps, and show 0 for a short time."""


def yardstick_s(where: Scene) -> float:
    """Return the CPU seconds of the simple plan, asked for as the learner's plan is."""
    facts = where.facts()
    begun = time.thread_time()
    ask(simple_plan, *facts)
    return max(LEAST_S, time.thread_time() - begun)


def simple_plan(workload: Workload) -> Plan:
    """Keep order of arrival, and register what one of the next requests shares."""
    paths, soon = _paths(workload.requests), 3 * workload.max_wait
    amounts = [
        STEP * max((_num_alike(path, other) for other in paths[index : index + soon]), default=0)
        for index, path in enumerate(paths, start=1)
    ]
    return Plan(list(range(len(paths))), STEP, [], lambda request: amounts[request.index], ())


def _paths(requests: Sequence[Request]) -> list[list[int]]:
    """Return the numbers of each request's prefixes: the same number, the same prefix."""
    numbers: dict[Any, int] = {}
    paths = []
    for request in requests:
        tokens, path = request.tokens, [-1]
        for end in range(STEP, len(tokens) + 1, STEP):
            path.append(numbers.setdefault((path[-1], tokens[end - STEP : end]), len(numbers)))
        paths.append(path[1:])
    return paths


def _num_alike(one: Sequence[int], other: Sequence[int]) -> int:
    num = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        num += 1
    return num
