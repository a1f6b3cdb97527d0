"""8.5.3: plans are carried out as written, broken rules are told by name, thresholds are fair."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from radixlab.exercise.plan_host import answer, ask_counted
from radixlab.exercise.workload import BLOCK_SIZES, PATTERNS, Pin, Plan
from radixlab.grade.ex3 import open_workload, run_plan, scene, try_plan
from radixlab.grade.ex3.answers import Answer, PinOrder, broken_rule, read
from radixlab.grade.ex3.gains import TARGET
from radixlab.grade.ex3.known import best_known, by_arrival
from radixlab.grade.ex3.runs import chosen_runs, mean_share
from radixlab.grade.ex3.scenes import KINDS, short
from radixlab.grade.ex3.serving import serve
from radixlab.grade.items import Failed, Trial
from tests.grade.zoo import SOLUTIONS, ZOOS

ZOO = ZOOS["8.5.3"]
FEW = 12


def arrival(workload):
    order = [request.index for request in workload.requests]
    return Plan(order, 16, [], lambda request: len(request.tokens), ())


def plan_of(text):
    names = {"__name__": "submission"}
    exec(text, names)
    return names


def caught(name, item):
    with pytest.raises(Failed) as error:
        ZOO.items[item].check(Trial(SimpleNamespace(**plan_of(ZOO.wrong[name])), 0))
    return error.value


@pytest.mark.parametrize("pattern", PATTERNS)
def test_order_of_arrival_is_where_the_scale_begins(pattern):
    one = run_plan(arrival, scene(pattern, 5))
    assert (one.share, one.over_arrival) == (0, 0)
    assert best_known(one.scene).hit_tokens > by_arrival(one.scene).hit_tokens


@pytest.mark.parametrize("size", BLOCK_SIZES)
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("is_short", [False, True])
def test_every_request_fits_in_blocks_of_any_size(pattern, size, is_short):
    where = short(pattern, 5, 40) if is_short else scene(pattern, 5)
    workload = where.workload()
    room = workload.num_blocks(size) * size
    assert max(len(request.tokens) for request in workload.requests) <= room


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_turn_begins_with_the_turn_before(pattern):
    for where in (scene(pattern, 6, FEW), short(pattern, 6, FEW)):
        requests = where.workload().requests
        for request in requests:
            if request.after is not None:
                before = requests[request.after].tokens
                assert request.prompt[: len(before)] == before
    turns = [request.after for request in scene(pattern, 6).workload().requests]
    assert any(after is not None for after in turns) == (pattern in ("multi-turn-chat", "agent"))


@pytest.mark.parametrize("name", ZOO.right)
def test_every_request_of_a_plan_reads_its_own_kv(name):
    plan = plan_of(ZOO.right[name])["plan"]
    for pattern in PATTERNS:
        where = short(pattern, 3, 60)
        found = read(answer(plan, where.workload()))
        serve(found, where.requests(), where.workload(), with_canary=True)


def test_a_pin_keeps_its_prefix_until_it_is_lifted():
    where = short("document-qa", 1, 30)
    requests, workload = where.requests(), where.workload()
    order, everything = tuple(range(30)), (1 << 30,) * 30
    first = tuple(requests[0].prompt.tolist())

    def locked(*pins):
        return serve(Answer(order, 16, pins, everything, ()), requests, workload).num_locked_blocks

    assert locked(PinOrder(first, 1, 30)) == 0
    assert locked(PinOrder(first, 1, 31)) == len(first) // 16


def test_pins_of_nothing_and_over_the_budget_are_void():
    where = short("document-qa", 1, 30)
    workload = where.workload()
    firsts = [request.prompt for request in workload.requests]
    pins = [Pin(firsts[0], 0, 30), *(Pin(prompt, 20, 30) for prompt in firsts[:20])]
    one = run_plan(lambda workload: replace(arrival(workload), pins=pins), where)
    assert 1 < one.served.num_void_pins < len(pins)


def test_what_is_not_registered_is_not_found():
    where = scene("document-qa", 2)
    nothing = run_plan(lambda w: replace(arrival(w), insertion=lambda request: 0), where)
    assert nothing.served.hit_tokens == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"order": [0, 1, 2]}, "Request 3 is not in order (1 of 4 are missing)."),
        ({"order": [0, 1, 2, 3, 3]}, "order has 5 entries for 4 requests"),
        ({"order": [0, 1, 2, 9]}, "Request 3 is not in order"),
        ({"block_size": 10}, "block_size is 10"),
        ({"insertion": lambda request: -1}, "insertion returned -1 for request 0"),
        ({"pins": [Pin((1,), 3, 3)]}, "Pin 0 goes from place 3 to 3."),
        ({"pins": [Pin((1,), -1, 3)]}, "Pin 0 goes from place -1 to 3."),
    ],
)
def test_a_broken_rule_is_told(change, told):
    with pytest.raises(ValueError, match="^" + told.replace("(", r"\(").replace(")", r"\)")):
        run_plan(lambda w: replace(arrival(w), **change), scene("few-shot", 1, 4))


def test_nobody_waits_one_place_too_long():
    workload = open_workload("few-shot", 1, 40)
    late = [*range(1, workload.max_wait + 1), 0, *range(workload.max_wait + 1, 40)]
    later = [*range(1, workload.max_wait + 2), 0, *range(workload.max_wait + 2, 40)]
    plans = [Answer(tuple(order), 16, (), (0,) * 40, ()) for order in (late, later)]
    assert [broken_rule(plan, workload) is None for plan in plans] == [True, False]


def test_a_turn_before_the_turn_it_continues_is_told():
    workload = open_workload("multi-turn-chat", 1, 6)
    backwards = Answer(tuple(reversed(range(6))), 16, (), (0,) * 6, ())
    assert "which it continues" in broken_rule(backwards, workload)


@pytest.mark.parametrize("value", [None, 3, [0, 1]])
def test_what_is_no_plan_is_refused(value):
    with pytest.raises(Failed, match="must return a Plan, and returned"):
        read(answer(lambda workload: value, open_workload("few-shot", 1, 1)))


@pytest.mark.parametrize(
    "change",
    [
        {"order": None},
        {"order": [0.5]},
        {"block_size": "16"},
        {"pins": None},
        {"pins": [(1, 2, 3)]},
        {"pins": [Pin(None, 0, 1)]},
        {"insertion": lambda request: 0.5},
        {"hot_spot": None},
        {"hot_spot": (1 << 40,)},
    ],
)
def test_a_part_that_is_no_number_is_refused_in_one_line(change):
    workload = open_workload("few-shot", 1, 1)
    with pytest.raises(Failed, match="must be") as error:
        read(answer(lambda workload: replace(arrival(workload), **change), workload))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("found", [None, 7, {}, {"order": [0]}, {"order": 1, "block_size": 2}])
def test_an_answer_from_elsewhere_is_refused(found):
    with pytest.raises(Failed, match="Plan"):
        read(found)


def test_work_is_counted_until_it_is_too_much():
    def sorts(workload):
        sorted(request.tokens for request in workload.requests)
        return arrival(workload)

    facts = short("few-shot", 1, 50).facts()
    whole = ask_counted(sorts, 1e9, *facts)["work"]
    assert ask_counted(arrival, 1e9, *facts)["work"] == 0
    assert whole > 100
    assert ask_counted(sorts, 100, *facts)["work"] == 101


@pytest.mark.parametrize(("name", "num_requests"), [("starves", 55), ("turns_backwards", 5)])
def test_a_broken_rule_is_shown_on_few_requests(name, num_requests, capsys):
    error = caught(name, "hits" if name == "starves" else "regression")
    names = plan_of(f"{ZOO.wrong[name]}\n{error.scenario}")
    assert names["try_plan"] is try_plan
    assert int(error.scenario.split("num_requests=")[1].rstrip(")")) <= num_requests
    assert "Request" in capsys.readouterr().out


def test_a_wrong_hot_spot_is_shown_beside_the_right_one():
    error = caught("names_what_all_share", "hot-spot")
    assert error.expected != error.actual
    assert "requests" in error.expected


def test_the_seed_decides_the_workload_to_the_bit():
    one, same, other = (scene("agent", seed, 5).facts() for seed in (1, 1, 2))
    assert one == same != other
    assert scene("agent", 1, 9).facts()[1][:5] == one[1]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_table_of_the_exercise_says_what_is_so(pattern):
    kind = KINDS[pattern]
    numbers = (kind.num_requests, kind.max_wait, f"{kind.pool_tokens:,}")
    row = f"| {' | '.join(map(str, numbers))} |"
    notebook = (SOLUTIONS / "ex3_workload_plan.ipynb").read_text("utf-8")
    assert any(f"`{pattern}` |" in line and row in line for line in notebook.splitlines())


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ZOO.right)
def test_right_plans_reach_the_target_with_room(name, seed):
    names = plan_of(ZOO.right[name])
    share = mean_share(chosen_runs(Trial(SimpleNamespace(**names), seed)))
    assert share > 1.1 * TARGET


@pytest.mark.parametrize("num_requests", [1, 2, 3])
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("name", ZOO.right)
def test_right_plans_keep_the_rules_on_few_requests(name, pattern, num_requests):
    run_plan(plan_of(ZOO.right[name])["plan"], scene(pattern, 2, num_requests))
