"""Whatever comes back from a learner's benchmark, a check says what is wrong with it."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from radixlab.exercise.cow import Conclusion, CowReport, Sample
from radixlab.grade.ex2 import EXERCISE, PaperMachine
from radixlab.grade.items import Failed, Trial
from radixlab.grade.judge import grade
from radixlab.grade.submission import Part, Submission, as_part
from tests.grade.zoo import SOLUTIONS, ZOOS

ZOO = ZOOS["8.5.2"]
SAMPLE = Sample("cow", 16, 1, "first", 0.5, 1e-6, 1, 4_096)
EMPTY = CowReport([SAMPLE], {}, {}, {}, [])
BAD_SAMPLES = {
    "no list": None,
    "no sample": [],
    "text": ["cow"],
    "an unknown kind": [replace(SAMPLE, kind="lazy")],
    "an unknown phase": [replace(SAMPLE, phase="second")],
    "a phase that is a list": [replace(SAMPLE, phase=["first"])],
    "not a number": [replace(SAMPLE, seconds=float("nan"))],
    "no time at all": [replace(SAMPLE, seconds=0.0)],
    "a number too large": [replace(SAMPLE, start_s=10**400)],
    "a time longer than the world": [replace(SAMPLE, seconds=1e308)],
    "more copies than bits": [replace(SAMPLE, copies=2**60)],
    "half a copy": [replace(SAMPLE, copies=0.5)],
    "fewer than no bytes": [replace(SAMPLE, bytes=-1)],
    "text for a size": [replace(SAMPLE, block_size="16")],
    "far too many": [SAMPLE] * 20_001,
}


def check(item, returned):
    learner = SimpleNamespace(benchmark=lambda *_: returned)
    with pytest.raises(Failed) as caught:
        ZOO.items[item].check(Trial(learner, seed=0))
    return caught.value


@pytest.mark.parametrize("item", ZOO.items)
@pytest.mark.parametrize("returned", [None, 7, {}, "samples", b"samples", object()])
def test_what_is_no_report_is_refused_by_every_item(item, returned):
    assert "benchmark must return a CowReport" in str(check(item, returned))


@pytest.mark.parametrize("item", ZOO.items)
@pytest.mark.parametrize("samples", BAD_SAMPLES.values(), ids=BAD_SAMPLES)
def test_impossible_samples_are_refused_by_every_item(item, samples):
    assert "sample" in str(check(item, CowReport(samples, {}, {}, {}, []))).lower()


@pytest.mark.parametrize("item", ZOO.items)
def test_an_invented_sample_earns_nothing(item):
    check(item, EMPTY)


@pytest.mark.parametrize("table", [None, [], "n", {1: 2}, {("cow", 16): 2}, {(1, 2, 3, 4): 5}])
def test_tables_that_are_none_cost_the_report_alone(table):
    text = (
        f"{ZOO.master}\n\ndef summarise(samples, old=summarise):\n    return T, *old(samples)[1:]\n"
    )
    text = f"T = {table!r}\n{text}"
    assert isinstance(ZOO.failure(text, "report"), Failed)
    assert ZOO.failure(text, "counts") is None


@pytest.mark.parametrize("conclusion", [None, "it pays", Conclusion(16, 1, "much", 1, 1, 1)])
def test_conclusions_that_are_none_are_refused(conclusion):
    text = f"{ZOO.master}\n\ndef conclude(*_):\n    return {conclusion!r}\n"
    assert isinstance(ZOO.failure(text, "conclusions"), Failed)


def test_figures_may_be_numpys():
    text = ZOO.master.replace("clock() - start_s", "np.float64(clock() - start_s)")
    text = text.replace("n = {cell: len(values)", "n = {cell: np.int64(len(values))")
    assert ZOO.failure(f"import numpy as np\n{text}", "report") is None
    assert text.count("np.") == 2


def test_a_reported_median_beyond_its_samples_is_no_excuse():
    text = "def benchmark(*a, old=benchmark):\n    report = old(*a)\n    median = {}\n"
    text += "    median |= dict.fromkeys(report.median, 1e308)\n"
    text += "    for i, c in enumerate(report.conclusions):\n"
    text += "        report.conclusions[i] = replace(c, eager_over_cow=7.0)\n"
    text += "    return replace(report, median=median)\n"
    error = ZOO.failure(f"{ZOO.master}\n\nfrom dataclasses import replace\n{text}", "conclusions")
    assert "eager_over_cow" in str(error) and "is 7; the samples, as the log has them, say" in str(
        error
    )


def test_a_benchmark_that_is_not_written_is_a_stub_everywhere():
    stub = "def benchmark(*_):\n    raise NotImplementedError('your code here')\n"
    assert all(isinstance(ZOO.failure(stub, item), NotImplementedError) for item in ZOO.items)


def test_half_the_work_earns_the_items_that_need_no_figures():
    half = "def benchmark(*a):\n    return CowReport(take_samples(*a), {}, {}, {}, [])\n"
    half = f"{ZOO.master}\n\n{half}"
    failed = {item for item in ZOO.items if ZOO.failure(half, item)}
    assert failed == {"report", "conclusions"}


def test_the_points_are_the_courses():
    assert [item.points for item in EXERCISE.items] == [4, 3, 3, 2, 2, 1]
    assert EXERCISE.points == 15


@pytest.mark.parametrize(
    "name", ["clock_before_sync", "counts_the_last_owner", "copy_with_its_write"]
)
def test_the_scenario_of_a_failure_can_be_pasted(name):
    scenario = ZOO.failure(ZOO.wrong[name], ZOO.loses[name][0]).scenario
    names = {}
    exec(f"{ZOO.wrong[name]}\n\n{scenario}", names)
    assert len(scenario.splitlines()) <= 5 and isinstance(names["machine"], PaperMachine)


def test_a_failure_shows_the_calls_that_were_timed():
    error = ZOO.failure(ZOO.wrong["clock_before_sync"], "audit")
    shown = [line.partition("(")[0] for line in error.expected.splitlines()]
    assert shown == ["manager.sync", "clock", "manager.append", "manager.sync", "clock"]
    shown = [line.partition("(")[0] for line in error.actual.splitlines()]
    assert shown == ["manager.sync", "clock", "manager.append", "clock"]


def test_the_smallest_sweep_is_the_one_that_is_shown():
    text = ZOO.wrong["no_warm_up"]
    assert "machine.clock, (1,), (" in ZOO.failure(text, "audit").scenario


@pytest.mark.parametrize(
    ("missing", "item", "said"),
    [("report", "report", "`benchmark` is not defined yet"), ("samples", "audit", "NameError")],
)
def test_a_part_that_is_not_here_is_named(missing, item, said):
    cells = json.loads((SOLUTIONS / "ex2_cow_benchmark.ipynb").read_text("utf-8"))["cells"]
    found = [as_part("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
    parts = tuple(part for part in found if isinstance(part, Part) and part.name != missing)
    report = grade(EXERCISE, Submission("8.5.2", parts), only=[item])
    message = report.items[0].verdict.message
    assert said in message
    assert message.endswith(f". No cell begins with `%%exercise 8.5.2 {missing}`.")
