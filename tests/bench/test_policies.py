"""The race of the policies: everything is counted, so the figures themselves are tested."""

import json
from contextlib import nullcontext

import pytest

from radixlab.bench import policies
from radixlab.bench.policies import Race, Standing, race, race_seeds
from radixlab.bench.policies_report import PoliciesReport, measure_policies
from radixlab.config import CacheConfig
from radixlab.workloads import make_manager, open_workload, replay

SHOWN = ("slru", "adaptive")


@pytest.fixture(scope="module")
def report() -> PoliciesReport:
    standings = race_seeds("scan-polluted", (800, 8000), (100, 101), 60, SHOWN)
    return PoliciesReport("radixlab bench policies", 60, 2, standings, SHOWN)


def test_a_race_is_the_replays_it_says() -> None:
    workload, calls = open_workload("few-shot", 40, seed=3), []
    (one,) = race(workload, [300], SHOWN, lambda: calls.append(1))
    assert list(one.rates) == ["lru", "slru", "adaptive", "belady"] and len(calls) == 4
    slru = replay(make_manager("slru", CacheConfig(300)), workload.requests())
    assert one.rates["slru"] == slru.token_hit_rate


def test_the_optimum_is_the_end_of_the_scale(report: PoliciesReport) -> None:
    for standing in report.standings:
        assert max(standing.races[0].rates.values()) == standing.races[0].rates["belady"]


@pytest.mark.parametrize("name", policies.POOLS)
def test_the_policy_that_is_not_raced_is_lru_where_nobody_sets_a_priority(name: str) -> None:
    requests, config = list(open_workload(name, 30, seed=1).requests()), CacheConfig(300)
    runs = [replay(make_manager(p, config), requests) for p in ("lru", "priority")]
    assert "priority" not in policies.RIVALS
    assert runs[0].by_request == runs[1].by_request


def test_a_standing_sums_over_seeds() -> None:
    rates = ({"lru": 0.2, "x": 0.3, "belady": 0.4}, {"lru": 0.2, "x": 0.19, "belady": 0.6})
    standing = Standing([Race("w", 10, each) for each in rates])
    assert standing.gap_closed("x") == pytest.approx(0.045 / 0.3)
    assert standing.least_over_lru("x") == pytest.approx(-0.01)


def test_where_there_is_no_gap_none_is_closed() -> None:
    standing = Standing([Race("w", 10, {"lru": 0.5, "x": 0.5, "belady": 0.51})])
    assert standing.gap_closed("x") is None


def test_a_promise_is_judged_on_the_traffic_it_is_about() -> None:
    over = {"multi-turn-chat": -0.004, "agent": -0.02, "scan-polluted": 0.3}
    races = [Race(w, 10, {"lru": 0.2, "adaptive": 0.2 + d, "belady": 0.7}) for w, d in over.items()]
    report = PoliciesReport(
        "radixlab bench policies", 60, 5, [Standing([r]) for r in races], SHOWN[1:]
    )
    for row in (
        "multi-turn-chat | -0.40 | ≥ -1: met",
        "elsewhere | -2.00 |",
        "scan-polluted | 0.60 | ≥ 0.5: met",
    ):
        assert row in report.markdown()


def test_all_three_formats_tell_the_same(report: PoliciesReport) -> None:
    first = json.loads(json.dumps(report.as_json()))["rows"][0]
    assert first["trace"] == "scan-polluted" and first["num_blocks"] == 800
    for text in (report.text(), report.markdown()):
        assert f"{first['gap_closed']['slru']:.2f}" in text
        assert f"{100 * first['least_over_lru']['adaptive']:+.2f}" in text
    assert "`radixlab bench policies`" in report.markdown()


def test_the_whole_benchmark_counts_its_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(policies.POOLS) - {"shared-prompt"}:
        monkeypatch.delitem(policies.POOLS, name)
    announced, done = [], []

    def progress(total: int, what: str, unit: str):
        announced.append(total)
        return nullcontext(lambda: done.append(1))

    report = measure_policies("radixlab bench policies --quick", None, True, progress)
    assert announced == [len(done)]
    assert {standing.workload for standing in report.standings} == {"shared-prompt"}
