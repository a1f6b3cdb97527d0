"""No field of a sample can be changed, and no sample moved or lost, without a rule that says so."""

from contextlib import suppress
from dataclasses import astuple, replace
from functools import cache
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixlab.exercise.cow import KINDS, MIN_SAMPLES, PHASES, WARM_UP_CALLS
from radixlab.grade.ex2 import EXERCISE, audit, groups
from radixlab.grade.ex2.figures import concluded, report
from radixlab.grade.ex2.paper import noise
from radixlab.grade.ex2.play import run
from radixlab.grade.ex2.traffic import Scene, scenes
from radixlab.grade.items import Failed, Trial
from radixlab.grade.judge import grade
from radixlab.grade.submission import Part, Submission
from radixlab.lesson.publish.handout import with_gaps
from tests.grade.zoo import SOLUTIONS, ZOOS, graded_cells

ZOO = ZOOS["8.5.2"]
JUDGES = (audit.audit, audit.counts, audit.eager, audit.real, report, concluded)
RULES = {  # each with a wrong submission that breaks it, and an item that rests on it
    audit.reading: ("start_moved", "audit"),
    audit.one_call: ("clock_before_sync", "audit"),
    audit.seconds: ("smoothed", "audit"),
    audit.queue: ("no_sync_before", "audit"),
    audit.warm: ("rival_is_cold", "audit"),
    audit.sweep: ("one_block_size", "audit"),
    audit.phases: ("everything_is_a_first_write", "counts"),
    audit.label: ("rival_is_mislabelled", "eager"),
    audit.copies: ("counts_the_last_owner", "counts"),
    audit.enough: ("too_few_rounds", "report"),
    audit.order: ("sorted_by_cell", "report"),
    groups.group: ("the_first_never_writes_again", "counts"),
    groups.as_often: ("rival_one_round_more", "eager"),
    groups.one_manager: ("a_warm_manager_every_round", "audit"),
    groups.kept: ("outliers_cut", "audit"),
    groups.rounds: ("two_groups_in_a_row", "report"),
    groups.released: ("released_too_late", "real"),
}


@cache
def honest():
    trial = Trial(ZOO.loaded(ZOO.master), seed=0)
    return run(trial, Scene(5, (2, 3), (8, 16), "cached"))


def faults(samples):
    """The items that say something about these samples."""
    changed = replace(
        honest(), returned=honest().returned | {"samples": [list(astuple(s)) for s in samples]}
    )
    found = []
    for judge in JUDGES:
        try:
            judge(changed)
        except Failed:
            found.append(judge.__name__)
    return found


def test_an_honest_run_has_no_fault():
    assert faults(honest().samples) == []


CHANGES = st.sampled_from(
    [
        *(("kind", kind) for kind in KINDS),
        *(("phase", phase) for phase in PHASES),
        *(("block_size", size) for size in (8, 16, 32)),
        *(("forks", forks) for forks in (1, 2, 3)),
        *(("start_s", factor) for factor in (0.999, 1.001)),
        *(("seconds", factor) for factor in (0.5, 0.999, 1.001, 1000.0)),
        *(("copies", number) for number in (0, 1, 2, 33)),
        *(("bytes", number) for number in (0, 1, 4_096)),
    ]
)


@settings(max_examples=60)
@given(index=st.integers(0, 1_000), change=CHANGES)
def test_no_field_of_a_sample_can_be_changed(index, change):
    samples = list(honest().samples)
    index %= len(samples)
    name, value = change
    value = getattr(samples[index], name) * value if isinstance(value, float) else value
    changed = replace(samples[index], **{name: value})
    if changed != samples[index]:
        samples[index] = changed
        assert faults(samples)


@settings(max_examples=12)
@given(index=st.integers(0, 1_000), other=st.integers(0, 1_000))
def test_no_sample_can_be_left_out_doubled_or_moved(index, other):
    samples = list(honest().samples)
    index, other = index % len(samples), other % len(samples)
    rest = samples[:index] + samples[index + 1 :]
    assert faults(rest)
    assert "report" in faults([*samples[:index], samples[index], *samples[index:]])
    if other != index:
        assert "report" in faults([*rest[:other], samples[index], *rest[other:]])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_each_rule_is_broken_by_a_wrong_submission_and_named(rule):
    name, item = RULES[rule]
    error = ZOO.failure(ZOO.wrong[name], item)
    assert f"Rule “{rule.__name__.replace('_', ' ')}”: {rule.__doc__}" in str(error)


def test_every_rule_is_in_the_table():
    own = {**vars(audit), **vars(groups)}.values()
    rules = {r for r in own if callable(r) and getattr(r, "__annotations__", None)}
    rules = {r for r in rules if "kinds" in r.__annotations__ or hasattr(r, "__wrapped__")}
    rules -= {audit.require}
    assert rules == RULES.keys()
    assert str(WARM_UP_CALLS) in audit.warm.__doc__
    assert str(MIN_SAMPLES) in audit.enough.__doc__


@pytest.mark.parametrize("seed", range(3))
def test_a_median_tells_the_true_cost_in_spite_of_interruptions(seed):
    """Half a cell would have to be interrupted before its median leaves the jitter."""
    rng = np.random.default_rng(seed)
    medians = [median(noise(rng) for _ in range(MIN_SAMPLES)) for _ in range(2_000)]
    assert min(medians) >= 0.97 and max(medians) <= 1.031


@pytest.mark.parametrize("seed", [*range(20), 2**31, 2**63])
def test_what_is_asked_for_is_the_same_for_a_seed_and_small_at_first(seed):
    drawn = [list(scenes(np.random.default_rng(seed))) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0][0].forks == (1,) and len(drawn[0][-1].forks) == 2
    assert {scene.workload for scene in drawn[0]} >= {"inside", "boundary", "short", "cached"}


SAMPLES, REPORT = graded_cells(SOLUTIONS / "ex2_cow_benchmark.ipynb", "8.5.2").split(
    "from collections import defaultdict", 1
)
REPORT = f"from collections import defaultdict{REPORT}"
GAPS = with_gaps(REPORT)
BROKEN = REPORT.replace("seconds = defaultdict(list)", "seconds = {}")
ELEVEN = {"audit": 4, "counts": 3, "eager": 3, "real": 1}
ALL = ELEVEN | {"report": 2, "conclusions": 2}


@pytest.mark.parametrize(
    ("parts", "earned"),
    [
        ([SAMPLES], ELEVEN),
        ([SAMPLES, GAPS], ELEVEN),
        ([SAMPLES, BROKEN], ELEVEN),
        ([SAMPLES, REPORT], ALL),
        ([REPORT, SAMPLES], ALL),
        ([with_gaps(SAMPLES), GAPS], {}),
        ([with_gaps(SAMPLES), REPORT], {}),
    ],
    ids=["one", "stub of two", "broken two", "both", "two first", "stubs", "two alone"],
)
def test_part_one_earns_its_points_whatever_part_two_is(parts, earned):
    trial, won = Trial(ZOO.loaded("\n\n".join(parts)), seed=0), {}
    for item in EXERCISE.items:
        with suppress(Exception):
            item.check(trial)
            won[item.id] = item.points
    assert won == earned


def test_a_stub_of_part_two_takes_no_points_in_the_box_either():
    made = tuple(Part("8.5.2", name, text) for name, text in (("a", SAMPLES), ("b", GAPS)))
    verdicts = {i.item.id: i.verdict for i in grade(EXERCISE, Submission("8.5.2", made)).items}
    assert {id for id, verdict in verdicts.items() if verdict.share == 1} == ELEVEN.keys()
    assert verdicts["report"].status == verdicts["conclusions"].status == "stub"
    assert "`summarise` is not written yet" in verdicts["report"].message
