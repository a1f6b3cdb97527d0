"""Claims on trial: counts against oracles, and verdicts that flip when the traffic changes."""

import json
import re
from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.bench.claims import (
    CLAIMS,
    FASTER,
    SMALLER,
    SOONER,
    UNBURDENED,
    Case,
    Claim,
    Sweep,
    judge,
)
from radixlab.bench.claims_counts import count, overhead
from radixlab.bench.claims_pictures import dots, lines
from radixlab.bench.claims_report import ClaimsReport, _verdict_rows, _workload_table
from radixlab.bench.claims_traffic import (
    CONDITIONS,
    IN_FLIGHT,
    Setting,
    Shape,
    alone,
    unshared,
)
from radixlab.bench.claims_trial import LENGTH, on_workloads, under
from radixlab.bench.table import TableReport
from radixlab.config import CacheConfig, ConfigError
from radixlab.lesson.props.claims import try_claims
from radixlab.lesson.props.sharing import blocks_with_sharing, blocks_without_sharing
from radixlab.workloads import (
    GENERATORS,
    Request,
    Workload,
    make_manager,
    open_workload,
    replay,
    summarize,
)

SHARING = Setting(Shape(num_prefixes=2, per_prefix=16, shared=512, own=48, answer=16))
"""Traffic on which the three claims about sharing hold; each test below changes one thing."""


def tried(setting: Setting) -> dict[str, Case]:
    found = count("shape", setting.shape.requests(), setting.cache, setting.in_flight)
    return {case.claim.name: case for case in found.cases()}


def shaped(**changes: int) -> Setting:
    return replace(SHARING, shape=replace(SHARING.shape, **changes))


# ---- the counts


@pytest.mark.parametrize("name", GENERATORS)
def test_what_is_found_is_what_the_summary_says_is_shared(name: str) -> None:
    requests = list(GENERATORS[name](30, 5))
    found = count(name, requests, CacheConfig(50_000), in_flight=1)
    summary = summarize(requests)
    assert found.hit_tokens == summary.shared_tokens
    assert found.control_peak_blocks == max(-(-r.num_tokens // 16) for r in requests)


@pytest.mark.parametrize("num_blocks", [600, 900, 2_000])
def test_one_request_at_a_time_is_a_replay(num_blocks: int) -> None:
    requests, cache = list(GENERATORS["scan-polluted"](60, 1)), CacheConfig(num_blocks)
    found = count("scan", requests, cache, in_flight=1)
    told = replay(make_manager("lru", cache), requests)
    assert found.hit_tokens == told.hit_tokens and found.evicted_blocks == told.evicted_blocks
    assert found.num_requests == told.requests
    assert found.rejected_requests == told.rejected_requests


@pytest.mark.parametrize("block_size", [1, 4, 16, 64])
@pytest.mark.parametrize("shared", [0, 15, 64, 200])
def test_the_peak_is_the_arithmetic_of_lesson_01(shared: int, block_size: int) -> None:
    shape = Shape(num_prefixes=1, per_prefix=IN_FLIGHT, shared=shared, own=70, answer=0)
    setting = Setting(shape, block_size=block_size)
    found = count("one prefix", shape.requests(), setting.cache)
    sizes = IN_FLIGHT, shared, 70, block_size
    assert found.control_peak_blocks == blocks_without_sharing(*sizes)
    # A whole prefix of a prompt is shared, and so is nothing of its own tokens.
    assert found.peak_blocks == blocks_with_sharing(*sizes)


def test_turns_of_one_conversation_never_run_together() -> None:
    turns = [r for r in GENERATORS["multi-turn-chat"](80, 0) if r.label]
    sessions = [r.label.partition(", ")[0] for r in turns]
    longest = max(sessions, key=sessions.count)
    own = [r for r, session in zip(turns, sessions, strict=True) if session == longest]
    found = count("one person", own, CacheConfig(10_000))
    assert len(own) > 2 and found.peak_blocks == found.control_peak_blocks


@pytest.mark.parametrize("name", GENERATORS)
def test_an_unshared_twin_is_as_long_and_shares_nothing(name: str) -> None:
    requests = list(GENERATORS[name](30, 2))
    twin = list(unshared(requests))
    assert [(len(r.prompt), len(r.output)) for r in twin] == [
        (len(r.prompt), len(r.output)) for r in requests
    ]
    found = count(name, twin, CacheConfig(50_000))
    assert found.hit_tokens == 0 and found.peak_blocks == found.control_peak_blocks


@pytest.mark.parametrize("length", [1, 15, 16, 17, 400])
def test_the_tree_works_as_often_however_long_the_prompt(length: int) -> None:
    counted = [overhead("alone", alone(n, 20), CacheConfig(2_000)) for n in (length, 2_048)]
    blocks = [one.block_operations for one in counted]
    assert blocks == [2 * 20 * -(-length // 16), 2 * 20 * 128]
    assert 20 <= counted[0].tree_operations <= counted[1].tree_operations <= 6 * 20


# ---- the verdict flips


def test_claims_about_sharing_hold_where_much_is_shared() -> None:
    assert {name: case.holds for name, case in tried(SHARING).items()} == {
        "tokens": True, "memory": True, "first token": True,
    }  # fmt: skip


FLIPS = {
    "nothing shared": (shaped(shared=0), {"tokens", "memory", "first token"}),
    "a short prefix": (shaped(shared=16), {"tokens", "memory", "first token"}),
    "a prefix below a block": (
        replace(SHARING, block_size=1024),
        {"tokens", "memory", "first token"},
    ),
    "thrash": (replace(SHARING, num_blocks=40), {"tokens", "memory", "first token"}),
    "long answers": (shaped(answer=2_000), {"tokens", "memory"}),
    "each prefix asked once": (
        shaped(num_prefixes=32, per_prefix=1),
        {"tokens", "memory", "first token"},
    ),
    "alone": (replace(SHARING, in_flight=1), {"memory"}),
}


@pytest.mark.parametrize("change", FLIPS)
def test_a_claim_fails_under_the_condition_that_breaks_it(change: str) -> None:
    setting, broken = FLIPS[change]
    assert {name for name, case in tried(setting).items() if not case.holds} == broken


def test_the_same_tokens_in_namespaces_of_their_own_make_every_claim_fail() -> None:
    def isolated() -> list[Request]:
        requests = enumerate(SHARING.shape.requests())
        return [replace(r, namespace=("salt", f"{number}")) for number, r in requests]

    cases = count("isolated", isolated(), SHARING.cache).cases()
    assert [str(judge([case])) for case in cases] == ["fails"] * 3
    assert all(case.figure in (1, 0) for case in cases)


def test_without_a_workload_that_shares_every_claim_about_sharing_fails() -> None:
    trial = on_workloads([open_workload("diverse", 20)])
    words = {verdict.claim.name: verdict.word for verdict in trial.verdicts()}
    assert words == {
        "tokens": "fails", "memory": "fails", "first token": "fails", "overhead": "holds",
    }  # fmt: skip


def test_short_prompts_break_the_claim_on_overhead_and_the_verdict_says_from_where() -> None:
    trial, lengths = on_workloads([open_workload("diverse", 20)]), under(LENGTH)
    verdict = trial.verdicts(lengths)[CLAIMS.index(UNBURDENED)]
    holding = [case.depends for case in lengths.cases if case.holds]
    assert verdict.word == "holds only if" and f"{min(holding):.0f} blocks" in verdict.condition
    assert (verdict.num_holding, verdict.num_cases) == (1, 1)


# ---- the judge


cases_of = st.sampled_from(CLAIMS).flatmap(
    lambda claim: st.lists(
        st.builds(
            lambda name, cache, control, depends: Case(claim, name, cache, control, depends),
            st.sampled_from("abcdef"),
            st.integers(1, 1_000),
            st.integers(1, 1_000),
            st.floats(0, 1),
        ),
        min_size=1,
        max_size=6,
    )
)


@given(cases_of, st.data())
def test_the_word_follows_from_the_cases(cases: list[Case], data: st.DataObject) -> None:
    split = data.draw(st.integers(1, len(cases)))
    verdict = judge(cases[:split], cases[split:])
    held = [case.holds for case in cases]
    assert verdict.word == ("holds" if all(held) else "holds only if" if any(held) else "fails")
    assert bool(verdict.condition) == (verdict.word == "holds only if")
    assert verdict.num_holding == sum(held[:split]) and verdict.num_cases == split


@given(cases_of)
def test_a_failing_case_with_enough_of_what_is_needed_is_named(cases: list[Case]) -> None:
    verdict, holding = judge(cases), [case.depends for case in cases if case.holds]
    named = [c.traffic for c in cases if not c.holds and holding and c.depends >= min(holding)]
    assert ("even so" in verdict.condition) == bool(named)
    assert all(name in verdict.condition.partition("fails on")[2] for name in named)


def span(pattern: str) -> str:
    """The limit of a sweep whose step n holds where the n-th letter is h."""
    figures = {"h": (1, 9), "f": (9, 9)}
    steps = tuple((n, Case(FASTER, "", *figures[c], 0)) for n, c in enumerate(pattern, start=1))
    return Sweep(FASTER, "steps", steps).limit


@pytest.mark.parametrize(
    ("pattern", "limit"),
    [
        ("hhh", "always"),
        ("fff", "never"),
        ("h", "always"),
        ("f", "never"),
        ("fhh", "from 2"),
        ("ffh", "from 3"),
        ("hhf", "up to 2"),
        ("hff", "up to 1"),
        ("fhf", "at 2"),
        ("fhhf", "2 to 3"),
        ("hfh", "up to 1, from 3"),
        ("fhfhhf", "at 2, 4 to 5"),
    ],
)
def test_a_limit_names_every_step_at_which_a_claim_turns(pattern: str, limit: str) -> None:
    assert span(pattern) == limit


@given(st.sampled_from(CLAIMS), st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_margin_of_one_is_the_bound(claim: object, cache: int, control: int) -> None:
    case = Case(claim, "", cache, control, 0)
    if case.figure > 0 and abs(case.margin - 1) > 1e-9:
        assert case.holds == (case.margin > 1)


# ---- the report and the picture


@pytest.fixture(scope="module")
def report() -> ClaimsReport:
    trial = on_workloads([open_workload(name, 20) for name in ("shared-prompt", "diverse")])
    condition = under("tokens in a block, 1,024 shared")
    rows = _verdict_rows(trial, [condition])
    header = ("claim", "bound", "workloads", "verdict")
    tables = [_workload_table("radixlab bench claims", trial)]
    table = TableReport("Claims on trial", "radixlab bench claims", "", header, rows, tables)
    return ClaimsReport(table, trial, (condition,))


def test_the_report_names_every_claim_and_its_verdict(report: ClaimsReport) -> None:
    verdicts = report.trial.verdicts(*report.conditions)
    for text in (report.text(), report.markdown()):
        assert all(claim.says in text for claim in CLAIMS)
        assert all(str(verdict) in text for verdict in verdicts)
    assert "<img" not in report.markdown()
    assert '<img src="images/c.png"' in replace(report, picture="images/c.png").markdown()
    told = json.loads(json.dumps(report.as_json()))
    assert len(told["workloads"]) == 2 * len(CLAIMS) and len(told["verdicts"]) == len(CLAIMS)
    first = told["workloads"][0]
    assert first["figure"] == pytest.approx(first["without"] / first["with_cache"], abs=1e-4)


def test_the_picture_shows_each_case_once(report: ClaimsReport) -> None:
    panels = dots(report.trial)
    assert [len(panel.points) for panel in panels] == [2] * 4
    held = [[holds for *_, holds in panel.points] for panel in panels]
    assert held == [[c.holds for c in report.trial.cases(claim)] for claim in CLAIMS]
    (changes,) = lines(report.conditions)
    assert [name for name, _ in changes.margins] == ["tokens", "memory", "first token"]


def test_printed_trials_fit_a_notebook(report: ClaimsReport) -> None:
    printed = [str(report.trial), *map(str, report.conditions)]
    assert max(len(line) for text in printed for line in text.split("\n")) <= 90


def test_every_condition_has_steps_on_both_sides_of_some_claim() -> None:
    for what, settings in CONDITIONS.items():
        ends = [settings[step] for step in (min(settings), max(settings))]
        held = [{name: case.holds for name, case in tried(setting).items()} for setting in ends]
        assert held[0] != held[1], what


def test_only_claims_about_sharing_depend_on_it() -> None:
    few = list(islice(GENERATORS["shared-prompt"](20, 0), 20))
    counted = count("few", few, CacheConfig(5_000))
    assert [case.claim for case in counted.cases()] == [FASTER, SMALLER, SOONER]
    assert counted.cases()[0].depends < counted.cases()[1].depends == counted.found_of_prompts


# ---- boundaries


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
@pytest.mark.parametrize("below", [1e-2, 1e-3, 1e-5, 1e-9])
def test_a_figure_that_fails_never_looks_like_the_bound(claim: Claim, below: float) -> None:
    figure = claim.bound * (1 - below if claim.relation == "≥" else 1 + below)
    told, bound = claim.shown(figure), claim.shown(claim.bound)
    assert told.endswith(" fails") and bound.endswith(" holds")
    number = float(re.sub(r"[^\d.]", "", told)) / (100 if "%" in told else 1)
    assert not claim.holds(number)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
@pytest.mark.parametrize("apart", [0.4, 1e-2, 1e-4, 1e-7])
def test_a_condition_tells_the_least_that_holds_and_the_most_that_fails_apart(
    claim: Claim, apart: float
) -> None:
    good, bad = (10, 40) if claim.relation == "≥" else (1, 40), (40, 40)
    cases = [Case(claim, "a", *good, 0.5), Case(claim, "b", *bad, 0.5 - apart)]
    needed, fails = re.findall(r"[\d.]+(?=%? of|%? blocks|%? it)", str(judge(cases)))
    assert float(needed) > float(fails)


@pytest.mark.parametrize("figure", [0, 5e-324, 0.05])
def test_no_overhead_at_all_is_as_far_from_the_bound_as_can_be(figure: float) -> None:
    assert Case(UNBURDENED, "a", figure, 1, 1).margin >= 1


def test_nothing_is_judged_without_a_request() -> None:
    with pytest.raises(ConfigError, match="num_requests must be a positive integer, not 0"):
        try_claims(0)
    with pytest.raises(ValueError, match="no workload"):
        on_workloads([])
    with pytest.raises(ValueError, match="nothing has no request to try a claim on"):
        on_workloads([Workload("nothing", 0, lambda: iter(()))])


def test_one_request_alone_finds_nothing_and_the_claims_about_sharing_fail() -> None:
    trial = on_workloads([open_workload(name, 1) for name in ("agent", "document-qa")])
    assert [str(verdict) for verdict in trial.verdicts()] == ["fails", "fails", "fails", "holds"]
