"""A plan in the engine finds what the exercise says it finds; a wrong one is named."""

import pytest

from radixlab.cache.eviction import LRU
from radixlab.exercise.workload import PATTERNS
from radixlab.grade.ex3.oracle import serve
from radixlab.grade.ex3.traffic import short
from radixlab.guarded_call import Watch
from radixlab.sched.order import ORDERS
from radixlab.yours.fault import PartFault
from radixlab.yours.manager import OwnManager
from radixlab.yours.parts import OwnPart, Parts, worked
from radixlab.yours.planned import (
    ORDER,
    asked_plan,
    nothing_planned,
    planned_config,
    recorded_answers,
    serve_planned,
)
from radixlab.yours.races import race, through_the_scheduler
from tests.grade.zoo import ZOOS

ZOO = ZOOS["8.5.3"]
CAUGHT = {
    "absurd_pins": "S5",
    "forgets_one": "S5",
    "odd_blocks": "M12",
    "pins_nobody_asks_for": "E9",
    "returns_a_tuple": "S5",
    "serves_one_twice": "S5",
    "starves": "S3",
    "turns_backwards": "S5",
    "waits_one_too_long": "S3",
}


def plan_of(text):
    return ZOO.loaded(text).plan


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("planner", [nothing_planned, None], ids=["by arrival", "worked"])
def test_the_engine_serves_as_planned(pattern, planner):
    where = short(pattern, 7, 24)
    plan, requests = asked_plan(planner or worked("plan"), where), where.requests()
    workload = where.workload()
    config = planned_config(plan, workload)
    cache = OwnManager(config, policy=LRU(), make_tree=worked("tree"))
    found = serve_planned(plan, requests, cache)
    cache.proof()
    assert found.order == plan.order and cache.fault is None
    assert found.answers == recorded_answers(requests)
    expected = serve(plan, requests, workload).hit_tokens
    # The exercise writes the last token of an answer too, the engine only if it goes on.
    assert expected - len(requests) * plan.block_size <= found.hit_tokens <= expected
    assert ORDER not in ORDERS


@pytest.mark.parametrize("name", CAUGHT)
def test_a_wrong_plan_is_named_by_its_rule(name):
    with pytest.raises(PartFault) as caught:
        for pattern in ("document-qa", "agent"):
            asked_plan(plan_of(ZOO.wrong[name]), short(pattern, 7, 40))
    assert (caught.value.part, caught.value.rule) == ("plan", CAUGHT[name])


@pytest.mark.parametrize("deed", ["loops", "raises"])
def test_a_plan_that_does_not_answer_ends_in_one_sentence(deed):
    def plan(workload):
        while deed == "loops":
            pass
        raise RuntimeError("no plan")

    with pytest.raises(PartFault, match=r"did not come back|raised RuntimeError: no plan"):
        asked_plan(plan, short("agent", 7, 10), Watch(0.1))


def test_order_of_arrival_stands_in_for_a_wrong_plan():
    wrong = Parts(plan=OwnPart("plan", plan_of(ZOO.wrong["starves"])))
    found = race("agent", wrong)
    assert found.hit_rate == found.base and [fault.rule for fault in found.faults] == ["S3"]


def test_a_lesson_says_how_the_scheduler_served_or_what_the_plan_broke():
    good = Parts(plan=OwnPart("plan", worked("plan")))
    assert "in the planned order: True; the recorded answers: True" in through_the_scheduler(good)
    wrong = Parts(plan=OwnPart("plan", plan_of(ZOO.wrong["starves"])))
    assert through_the_scheduler(wrong).startswith("Your plan broke rule S3")
