"""The scoreboard ranks engines as their hit rates do; parts and figures are kept with progress."""

import json

import numpy as np
import pytest

from radixlab.cache.eviction import FIFO
from radixlab.grade.history import History
from radixlab.grade.progress import Progress
from radixlab.grade.submission import Part, Submission
from radixlab.lesson.exercises import progress_lines
from radixlab.workloads import Request
from radixlab.yours.board import scoreboard
from radixlab.yours.fault import PartFault
from radixlab.yours.line import engine_line
from radixlab.yours.parts import SOURCES, OwnPart, Parts, own_parts, worked
from radixlab.yours.planned import nothing_planned
from radixlab.yours.races import Figures, fairness


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RADIXLAB_HOME", str(tmp_path))
    monkeypatch.delenv("RADIXLAB_STATIC", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def engines():
    whole = Parts(*(OwnPart(name, worked(name)) for name in SOURCES))
    fifo, arrival = OwnPart("policy", FIFO), OwnPart("plan", nothing_planned)
    return {
        "yours": whole,
        "a tree that chooses": Parts(whole.tree, None, whole.plan),
        "a policy: fifo": Parts(whole.tree, fifo, whole.plan),
        "a plan: arrival": Parts(whole.tree, whole.policy, arrival),
    }


def test_mediocre_parts_rank_as_their_hit_rates_do(home, engines):
    workloads = ("tenants", "document-qa")
    board = scoreboard(engines, workloads)
    best, *others = board.entries
    assert best.name == "yours" and len(others) == 3
    assert [e.mean for e in board.entries] == sorted((e.mean for e in board.entries), reverse=True)
    assert all(entry.mean < best.mean for entry in others)
    for entry in board.entries:
        for one in entry.figures:
            assert 0 < one.hit_rate < one.bound and not one.faults
    told = [line.split("  ")[0] for line in str(board).split("\n")]
    assert told[1] == "the bound" and told[-1] == "no sharing"
    names = [name for name in told if name in engines]
    assert names == [entry.name for entry in board.entries]
    kept = Progress(home).load_engine()
    assert kept["last"]["hit_rate"] == best.mean
    assert max(map(len, f"{board}\n{board.details()}".split("\n"))) <= 90


def figures(rate):
    return lambda workload, parts: Figures(workload, rate, 5, 1.0, 0.1, 0.9)


def test_the_best_run_and_the_last_one_are_kept_beside_the_points(home):
    assert Progress(home).load_engine() is None and "not raced yet" in engine_line(None)
    for rate in (0.4, 0.6, 0.5):
        scoreboard({"yours": Parts()}, ("tenants",), figures(rate))
    kept = Progress(home).load_engine()
    assert (kept["last"]["hit_rate"], kept["best"]["hit_rate"]) == (0.5, 0.6)
    assert Progress(home).load() == {}
    line = "Your engine  finds 50.0%, 50% of the way to the bound; best 60.0%"
    assert engine_line(kept) == line and line in list(progress_lines())


RUNS = {  # (hit rate, whether a part broke) of each run; the best one; what the line ends with
    "only broken": ([(0.9, True)], None, "but a part broke"),
    "broken last": ([(0.5, False), (0.9, True)], 0.5, "but a part broke; best 50.0%"),
    "broken first": ([(0.9, True), (0.5, False)], 0.5, "to the bound"),
    "broken and worse": ([(0.5, False), (0.4, True)], 0.5, "but a part broke; best 50.0%"),
    "a better one after it": ([(0.5, False), (0.9, True), (0.6, False)], 0.6, "to the bound"),
    "a worse one after it": ([(0.5, False), (0.9, True), (0.4, False)], 0.5, "; best 50.0%"),
    "broken twice": ([(0.9, True), (0.8, True)], None, "but a part broke"),
}


@pytest.mark.parametrize(("runs", "best", "ends"), RUNS.values(), ids=RUNS)
def test_a_run_in_which_a_part_broke_is_never_the_best(home, runs, best, ends):
    for rate, is_broken in runs:
        fault = (PartFault("tree", "L1", "walk()", "it is wrong"),) if is_broken else ()
        found = Figures("tenants", rate, 5, 1.0, 0.1, 0.95, fault)
        scoreboard({"yours": Parts()}, ("tenants",), lambda workload, parts, found=found: found)
    kept = Progress(home).load_engine()
    assert kept["last"]["hit_rate"] == runs[-1][0]
    assert (kept["best"] and kept["best"]["hit_rate"]) == best and engine_line(kept).endswith(ends)


def test_a_broken_best_run_of_an_older_version_is_not_believed(home):
    broken = {"hit_rate": 0.9, "way": 0.9, "workloads": {"tenants": {"broken": ["L1"]}}}
    known = {"engine": {"last": {"hit_rate": 0.5, "way": 0.2}, "best": broken}}
    (home / "progress.json").write_text(json.dumps(known))
    assert Progress(home).load_engine()["best"] is None
    scoreboard({"yours": Parts()}, ("tenants",), figures(0.4))
    assert Progress(home).load_engine()["best"]["hit_rate"] == 0.4


@pytest.mark.parametrize(
    "damage", [{"last": {}}, {"last": 3, "best": 3}, [], {"best": {"hit_rate": float("nan")}}]
)
def test_a_damaged_entry_is_set_aside_and_not_believed(home, damage):
    (home / "progress.json").write_text(json.dumps({"engine": damage}))
    assert Progress(home).load_engine() is None
    assert len(list(home.glob("progress*"))) >= 1


@pytest.mark.parametrize("damaged", ["engine", "8.5.4"])
def test_a_damaged_entry_costs_no_other(home, damaged):
    run = {"hit_rate": 0.5, "way": 0.25}
    points = {"points": 20, "max_points": 25, "best": 22}
    known = {"8.5.1": points, "8.5.4": points, "engine": {"last": run, "best": run}}
    (home / "progress.json").write_text(json.dumps(known | {damaged: {"best": None}}))
    for _ in range(2):
        found = Progress(home).load() | {"engine": Progress(home).load_engine()}
        assert found["8.5.1"] == points
        assert {name for name in known if found.get(name)} == known.keys() - {damaged}
    assert len(list(home.glob("progress*.json*"))) == 2


def test_other_engines_are_not_kept(home):
    scoreboard({"ours": Parts()}, ("tenants",), figures(0.4))
    assert Progress(home).load_engine() is None


def test_without_engines_there_is_no_race():
    with pytest.raises(ValueError, match="no engine to race"):
        scoreboard({})


def keep(home, source, points):
    history = History("8.5.1", home)
    number = history.keep(Submission("8.5.1", (Part("8.5.1", None, source, "cell 7"),)))
    if points is not None:
        history.note(number, points)


TREE = "class RadixTree:\n    def __init__(self, block_size):\n        self.mine = True\n"


@pytest.mark.parametrize(
    "source, points, said",
    [
        (TREE, 25, "yours, version 1 of 8.5.1 (25 points)"),
        (TREE, None, "yours, version 1 of 8.5.1 (not graded)"),
        (TREE, 0, "the worked solution: your version 1 of 8.5.1 has no points"),
        ("x = 1\n", None, "the worked solution: your version 1 of 8.5.1 has no points"),
        ("RadixTree = 1/0\n", 9, "the worked solution: your version 1 does not run: raised Zero"),
        ("def RadixTree(:\n", 9, "the worked solution: your version 1 does not run: raised Syn"),
    ],
)
def test_a_kept_version_is_plugged_in_or_the_worked_solution_and_it_is_said(
    home, source, points, said
):
    keep(home, source, points)
    parts = own_parts()
    assert parts.tree.source.startswith(said)
    assert parts.policy.source == "the worked solution: you have not run 8.5.4 yet"
    assert hasattr(parts.tree.make(4), "mine") == said.startswith("yours")


def test_the_best_version_is_taken_and_not_the_last(home):
    for points, name in ((9, "a"), (25, "b"), (3, "c")):
        keep(home, TREE + f"        self.name = {name!r}\n", points)
    assert own_parts().tree.make(4).name == "b"


def test_fairness_is_one_if_all_find_alike_and_one_in_n_if_one_finds_all():
    prompt = np.arange(4, dtype=np.int32)
    requests = [Request(prompt, prompt, namespace=("salt", f"{k % 4}")) for k in range(12)]
    assert fairness(requests, [(4, 2)] * 12) == pytest.approx(1.0)
    alone = [(4, 4 if k % 4 == 0 else 0) for k in range(12)]
    assert fairness(requests, alone) == pytest.approx(1 / 4)
    assert fairness(requests[:4], [(4, 0)] * 4) == 1.0
