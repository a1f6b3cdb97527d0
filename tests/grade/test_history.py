"""No line of a learner's code is lost: versions, restoring, starting, progress."""

import json
import subprocess
import sys

import pytest

from radixlab.grade import copies, workplace
from radixlab.grade.history import MAX_VERSIONS, History
from radixlab.grade.judge import grade
from radixlab.grade.progress import Progress
from radixlab.grade.registry import EXERCISES
from radixlab.grade.submission import Part, Submission, read

EXERCISE = EXERCISES["8.5.2"]


def submission(*sources):
    parts = (Part("8.5.2", f"p{number}", source) for number, source in enumerate(sources))
    return Submission("8.5.2", tuple(parts))


def kept(home):
    versions = History("8.5.2", home).versions()
    return [[part.source for part in version.submission.parts] for version in versions]


def test_versions_come_back_as_they_were(tmp_path):
    for sources in (("x = 1",), ("x = 'é\n\t#'", "y = 2")):
        History("8.5.2", tmp_path).keep(submission(*sources))
    assert kept(tmp_path) == [["x = 1"], ["x = 'é\n\t#'", "y = 2"]]


def test_the_same_version_is_kept_once(tmp_path):
    for _ in range(3):
        History("8.5.2", tmp_path).keep(submission("x = 1"))
    assert kept(tmp_path) == [["x = 1"]]


def test_the_last_twenty_are_kept_and_numbers_go_on(tmp_path):
    for number in range(MAX_VERSIONS + 5):
        History("8.5.2", tmp_path).keep(submission(f"x = {number}"))
    versions = History("8.5.2", tmp_path).versions()
    assert [version.number for version in versions] == list(range(6, MAX_VERSIONS + 6))


RECORD = '{"when": "now", "parts": [{"name": null, "source": "x", "place": ""}]}'
WRONG = [("}", ', "points": "3"}'), ('"now"', "3"), ('"x"', "5"), ("null", "1"), ('""', "null")]
WRONG += [("}", f', "points": {points}}}') for points in ("NaN", "1e400", "-3", "1" + "0" * 400)]
WRONG += [('"x"', '"\\ud83d"'), ("null", '"../x"'), ("null", '"a b"')]
BROKEN = ["{", "[" * 10**5, *(RECORD.replace(old, new) for old, new in WRONG)]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_version_costs_only_itself(tmp_path, content):
    for number in range(3):
        History("8.5.2", tmp_path).keep(submission(f"x = {number}"))
    (tmp_path / "history" / "8.5.2" / "0002.json").write_text(content)
    assert kept(tmp_path) == [["x = 0"], ["x = 2"]]


def test_what_is_not_a_numbered_version_is_none(tmp_path):
    History("8.5.2", tmp_path).keep(submission("x = 0"))
    for name in ("٣", "²", "9" * 200, "1x", "-1"):
        (tmp_path / "history" / "8.5.2" / f"{name}.json").write_text(RECORD)
    (tmp_path / "history" / "8.5.2" / "0002.json").write_text(RECORD.replace('{"name"', '"x", {'))
    assert History("8.5.2", tmp_path).keep(submission("x = 1")) == 3
    assert kept(tmp_path) == [["x = 0"], ["x = 1"]]


KEEPER = """
import itertools, sys
from pathlib import Path
from radixlab.grade.history import History
from radixlab.grade.submission import Part, Submission
for number in itertools.count():
    part = Part("8.5.2", "p0", f"x = {number}  " + "#" * 100_000)
    History("8.5.2", Path(sys.argv[1])).keep(Submission("8.5.2", (part,)))
    print(number, flush=True)
"""


def test_a_kill_at_any_moment_leaves_only_whole_versions(tmp_path):
    command = [sys.executable, "-c", KEEPER, str(tmp_path)]
    for _ in range(3):
        keeper = subprocess.Popen(command, stdout=subprocess.PIPE)
        for _ in range(25):
            keeper.stdout.readline()
        keeper.kill()
        keeper.communicate()
        files = list((tmp_path / "history" / "8.5.2").glob("[0-9]*.json"))
        assert all(json.loads(file.read_text())["parts"] for file in files)
        assert len(kept(tmp_path)) >= MAX_VERSIONS


@pytest.fixture
def course(tmp_path):
    root = workplace.__file__.partition("radixlab/grade")[0]
    (tmp_path / "exercises").mkdir()
    handed_out = f"{root}/exercises/{EXERCISE.notebook}.ipynb"
    with open(handed_out, encoding="utf-8") as file:
        (tmp_path / "exercises" / f"{EXERCISE.notebook}.ipynb").write_text(file.read())
    return tmp_path


def test_putting_back_keeps_what_stood_there(course):
    path = copies.start(course)[0].path
    before = read(path, "8.5.2")
    parts = tuple(Part("8.5.2", part.name, "x = 1\n") for part in before.parts)
    workplace.put_back(path, Submission("8.5.2", parts), home=course)
    assert [part.source for part in read(path, "8.5.2").parts] == ["x = 1\n"] * len(parts)
    assert kept(course) == [[part.source for part in before.parts]]


def test_a_part_without_a_cell_is_added_at_the_end(course):
    path = copies.start(course)[0].path
    whole = Submission("8.5.2", (Part("8.5.2", None, "z = 3"),))
    workplace.put_back(path, whole, home=course)
    assert read(path, "8.5.2").parts[-1].source == "z = 3"


def test_a_version_of_one_part_comes_back_as_it_was_graded(course):
    path = copies.start(course)[0].path
    both = tuple(Part("8.5.2", name, f"x = {name!r}") for name in ("samples", "report"))
    workplace.put_back(path, Submission("8.5.2", both), home=course)
    assert workplace.put_back(path, Submission("8.5.2", both[:1]), home=course) == 2
    found = read(path, "8.5.2")
    assert found.sources == {"samples": "x = 'samples'"}
    assert [part.is_empty for part in found.parts] == [False, True]


def test_putting_back_what_is_there_changes_nothing(course):
    path = copies.start(course)[0].path
    found, before = read(path, "8.5.2"), path.read_bytes()
    assert workplace.put_back(path, found, home=course) is None
    assert path.read_bytes() == before and kept(course) == []


def test_each_cell_of_a_part_is_filled(course):
    path = copies.start(course)[0].path
    document = json.loads(path.read_text())
    document["cells"] *= 2
    path.write_text(json.dumps(document))
    version = Submission("8.5.2", (Part("8.5.2", "samples", "x = 1"),))
    workplace.put_back(path, version, home=course)
    assert read(path, "8.5.2").sources == {"samples": "x = 1"}


def test_the_best_version_is_the_latest_of_those_that_earned_most(tmp_path):
    history = History("8.5.2", tmp_path)
    for number, points in enumerate((3, 7.5, 7.5, None, 2), 1):
        assert history.keep(submission(f"x = {number}")) == number
        if points is not None:
            history.note(number, points)
    assert (history.best().number, history.best().points) == (3, 7.5)
    assert [v.points for v in history.versions()] == [3, 7.5, 7.5, None, 2]


def test_the_best_version_is_never_forgotten(tmp_path):
    history = History("8.5.2", tmp_path)
    history.note(history.keep(submission("x = 'best'")), 15)
    for number in range(MAX_VERSIONS + 5):
        history.note(history.keep(submission(f"x = {number}")), 1)
    assert (history.versions()[0].number, history.best().number) == (1, 1)
    assert len(history.versions()) == MAX_VERSIONS + 1


def test_no_version_was_graded(tmp_path):
    History("8.5.2", tmp_path).keep(submission("x = 1"))
    assert History("8.5.2", tmp_path).best() is None
    History("8.5.2", tmp_path).note(99, 3)  # forgotten meanwhile
    assert [v.number for v in History("8.5.2", tmp_path).versions()] == [1]


def report(points):
    source = "def benchmark(*_):\n    raise NotImplementedError"
    stub = grade(EXERCISE, submission(source), only=["real"])
    assert stub.points == 0
    object.__setattr__(stub, "points", points)
    return stub


def test_progress_keeps_the_latest_and_the_best(tmp_path):
    for points in (1, 0):
        Progress(tmp_path).save(report(points))
    entry = Progress(tmp_path).load()["8.5.2"]
    assert (entry["points"], entry["best"], entry["items"]) == (0, 1, {"real": "stub"})


def test_a_report_of_some_parts_takes_no_points_away(tmp_path):
    for points, whole in ((10, True), (7, False), (12, False), (9, False)):
        Progress(tmp_path).save(report(points), whole=whole)
    entry = Progress(tmp_path).load()["8.5.2"]
    assert (entry["points"], entry["best"]) == (12, 12)


ENTRY = '{"8.5.1": {"points": %s, "max_points": 25, "best": 3, "items": {}}}'
NO_PROGRESS = ["{", "[]", '{"8.5.1": 3}']
NO_PROGRESS += [ENTRY % points for points in ("NaN", "1e400", "true", "-1", "1" + "0" * 400)]


@pytest.mark.parametrize("content", NO_PROGRESS)
def test_a_progress_file_that_cannot_be_read_is_set_aside(tmp_path, content):
    (tmp_path / "progress.json").write_text(content)
    assert Progress(tmp_path).load() == {}
    assert (tmp_path / "progress.broken-1.json").read_text() == content
