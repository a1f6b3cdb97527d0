"""When requests are sent."""

from itertools import islice

import numpy as np
import pytest

from radixlab.load import Plan, PlanError
from radixlab.workloads import GENERATORS, Request


def workload(times=(None,) * 5, num_tokens=40):
    prompt = np.arange(num_tokens, dtype=np.int32)
    return [Request(prompt, prompt[:9], time, f"user {i}") for i, time in enumerate(times)]


def due(plan: Plan, requests) -> list[float | None]:
    return [planned.due_s for planned in plan.requests(iter(requests))]


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_gives_the_same_arrivals_whatever_is_sent(seed: int) -> None:
    first = due(Plan(rate=4, seed=seed), workload())
    assert first == due(Plan(rate=4, seed=seed), workload((1.0,) * 9, 7))[:5] == sorted(first)
    assert first != due(Plan(rate=4, seed=seed + 1), workload())


def test_the_arrivals_of_seed_0_are_these() -> None:
    times = due(Plan(rate=1), workload())
    assert [round(time, 6) for time in times] == [1.860607, 3.279236, 3.824949, 4.124592, 4.840546]


def test_arrivals_are_as_many_a_second_as_asked_for() -> None:
    rng = np.random.default_rng(0)
    for rate in (0.5, 3.0, 200.0):
        times = due(Plan(rate=rate, seed=int(rng.integers(1000))), workload((None,) * 4000))
        gaps = np.diff(times, prepend=0)
        assert gaps.mean() == pytest.approx(1 / rate, rel=0.1)
        assert gaps.std() == pytest.approx(1 / rate, rel=0.1)  # exponential: both are the same


def test_a_trace_keeps_its_own_times_or_runs_faster() -> None:
    trace = workload((0.0, 4.0, 4.0, 10.0))
    assert due(Plan(), trace) == [0, 4, 4, 10]
    assert due(Plan(speed_up=4), trace) == [0, 1, 1, 2.5]
    assert due(Plan(concurrency=3), trace) == [None] * 4


BAD = {
    "two loops": ({"rate": 1.0, "concurrency": 2}, "give one"),
    "a faster nothing": ({"rate": 1.0, "speed_up": 2.0}, "speed_up"),
    "no rate": ({"rate": 0.0}, "above 0"),
    "endless": ({"rate": float("inf")}, "above 0"),
    "not a number": ({"speed_up": float("nan")}, "above 0"),
    "nobody": ({"concurrency": 0}, "at least 1"),
    "nothing": ({"shrink": 0}, "at least 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_plan_that_makes_no_sense_is_refused(case: str) -> None:
    settings, why = BAD[case]
    with pytest.raises(PlanError, match=why):
        Plan(**settings)


def test_a_workload_without_times_needs_a_rate() -> None:
    with pytest.raises(PlanError, match="no times of its own"):
        due(Plan(), workload())


def test_shrinking_keeps_what_is_shared() -> None:
    whole = list(islice(GENERATORS["multi-turn-chat"](20, 3), 20))
    small = [p.request for p in Plan(concurrency=1, shrink=8).requests(iter(whole))]
    for i, j in ((0, 5), (3, 11), (7, 8)):
        shared = common(whole[i].prompt, whole[j].prompt)
        assert common(small[i].prompt, small[j].prompt) == -(-shared // 8)


def common(a, b) -> int:
    n = min(len(a), len(b))
    different = np.flatnonzero(a[:n] != b[:n])
    return int(different[0]) if len(different) else n


def test_answers_are_as_long_as_the_workloads_and_never_longer_than_allowed() -> None:
    planned = list(Plan(concurrency=1, max_tokens=4).requests(iter(workload())))
    assert {each.max_tokens for each in planned} == {4}
    assert {p.max_tokens for p in Plan(concurrency=1).requests(iter(workload()))} == {9}
