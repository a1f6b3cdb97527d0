"""Benchmarks as programs: they run, count right, write their own section. No time is judged."""

import gc
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from radixlab.bench.floor import Floor
from radixlab.bench.growth import Forest, measure_growth
from radixlab.bench.measure import quiet_gc, ratios, spread
from radixlab.bench.report import write_section
from radixlab.bench.tree import bench_workload, measure_events, measure_trace
from radixlab.bench.tree_report import TreeReport
from radixlab.config import CacheConfig
from radixlab.workloads import GENERATORS, open_workload


@pytest.fixture(scope="module")
def report() -> TreeReport:
    workload = open_workload("shared-prompt", limit=20)
    trace_rows = measure_trace(workload, rounds=2, pools=(2_000, 4_000))
    cold_rows = measure_trace(workload, rounds=1, pools=(2_000,), is_cold=True)
    growth_rows = measure_growth(rounds=2, num_samples=5, sizes=(500, 2_000))
    events, not_run = measure_events(workload, rounds=2), {"some peer": "no wheel"}
    return TreeReport(
        "radixlab bench tree", workload, 2, 5, trace_rows, growth_rows, cold_rows, events, not_run
    )


def test_every_contender_has_a_row_at_every_pool(report: TreeReport) -> None:
    rows = [(row.contender, row.num_blocks) for row in report.trace_rows]
    assert rows == [(c, n) for n in (2_000, 4_000) for c in ("radixlab", "naive", "floor")]


def test_ours_finds_what_is_shared_and_naive_nothing(report: TreeReport) -> None:
    rates = {row.contender: row.token_hit_rate for row in report.trace_rows}
    assert (rates["radixlab"] or 0) > 0.6 and rates["naive"] == 0 and rates["floor"] is None


def test_the_floor_is_one_floor(report: TreeReport) -> None:
    floors = [row.over_floor for row in report.trace_rows if row.contender == "floor"]
    assert {(f.median, f.low, f.high) for f in floors} == {(1.0, 1.0, 1.0)}


def test_ours_is_one_of_ours_and_cold_rounds_find_the_same(report: TreeReport) -> None:
    ours = [row for row in report.trace_rows if row.contender == "radixlab"]
    assert {(r.over_ours.low, r.over_ours.high) for r in ours} == {(1.0, 1.0)}
    assert [row.contender for row in report.cold_rows] == ["radixlab", "floor"]
    assert report.cold_rows[0].token_hit_rate == ours[0].token_hit_rate


def test_the_floor_compares_and_gives_its_ids_back() -> None:
    (request,) = GENERATORS["diverse"](1, 0)
    floor = Floor(CacheConfig(num_blocks=1000))
    floor.learn(request.prompt.tobytes())
    assert floor.serve(request)
    assert floor.num_free == 1000 and sorted(floor.stack) == list(range(1000))


def test_the_forest_stays_the_size_it_was() -> None:
    forest = Forest(1_000, np.random.default_rng(0))
    before = forest.manager.tree.num_blocks
    for _ in range(
        100
    ):  # five times over; every sample asserts what it found, inserted and evicted
        forest.sample()
    assert 950 <= before == forest.manager.tree.num_blocks <= 1_050


def test_all_three_formats_tell_the_same(report: TreeReport) -> None:
    json_report = json.loads(json.dumps(report.as_json()))
    assert len(json_report["managers"]) == 6 and len(json_report["growth"]) == 3
    assert len(json_report["cold"]) == 2 and len(json_report["events"]["ratio"]) == 3
    for text in (report.text(), report.markdown()):
        for word in ("radixlab", "naive", "floor", "match 64 blocks", "evict 48 blocks", "goal"):
            assert word in text
        assert "64 MB are swept" in text and "stripped copy" in text
        assert "Not run: some peer: no wheel." in text
    assert "NumPy" in report.markdown() and "`radixlab bench tree`" in report.markdown()


def test_without_the_trace_a_generator_stands_in_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADIXLAB_TRACES", str(tmp_path))
    assert bench_workload(5).name == "document-qa"


def test_write_section_replaces_its_own_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    path.write_text("# Results\n\nBy hand.\n")
    write_section(path, "one", "first")
    write_section(path, "two", "second")
    write_section(path, "one", "third\n\nlonger")
    assert path.read_text() == (
        "# Results\n\nBy hand.\n\n<!-- begin one -->\nthird\n\nlonger\n<!-- end one -->\n\n"
        "<!-- begin two -->\nsecond\n<!-- end two -->\n"
    )


def test_ratios_are_formed_inside_a_round() -> None:
    ratio = ratios([10.0, 2.0, 30.0], [5.0, 1.0, 10.0])
    assert (ratio.median, ratio.low, ratio.high) == (2.0, 2.0, 3.0)
    assert str(spread([1234.5, 0.25, 17.0])) == "17.0 (0.25 - 1,234)"


@pytest.fixture
def nothing_aside() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.freeze()  # as conftest.py left it


@pytest.mark.usefixtures("nothing_aside")
@pytest.mark.parametrize("had_some_aside", [True, False])
def test_the_collector_is_as_it_was_afterwards(had_some_aside: bool) -> None:
    if had_some_aside:
        gc.freeze()
    with pytest.raises(KeyError), quiet_gc():
        assert not gc.isenabled() and gc.get_freeze_count() > 0
        raise KeyError
    assert gc.isenabled() and (gc.get_freeze_count() > 0) == had_some_aside
