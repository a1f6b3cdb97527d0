"""`radixlab grade`, `start`, `history`, `restore` and `reset`, as people type them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radixlab.grade.history import History
from radixlab.grade.registry import EXERCISES
from radixlab.grade.submission import Part, Submission

ROOT = Path(__file__).parents[1]
NAMES = [f"{exercise.notebook}.ipynb" for exercise in EXERCISES.values()]
SHORT = EXERCISES["8.5.2"]
"""The one whose check takes least."""


@pytest.fixture
def course(tmp_path):
    """A checkout with its notebooks and nothing else."""
    for folder in ("exercises", "solutions"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_start_here.ipynb").write_text("{}")
    return tmp_path


def radixlab(course, *args):
    env = os.environ | {"RADIXLAB_HOME": str(course / "home"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "radixlab", *map(str, args)]
    return subprocess.run(command, cwd=course, env=env, capture_output=True, text=True)


def test_what_is_handed_out_gets_no_points_and_a_kind_message(course):
    done = radixlab(course, "grade", "--dir", "exercises")
    assert done.returncode == 1
    assert done.stdout.count("Nothing is written yet") == len(EXERCISES)
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"0 of {_all_points()} points"


def _all_points():
    return sum(exercise.points for exercise in EXERCISES.values())


def test_json_has_every_item_and_the_worked_solution_has_all_points(course):
    done = radixlab(course, "grade", "8.5.2", "--dir", "solutions", "--json")
    assert done.returncode == 0
    (exercise,) = json.loads(done.stdout)["exercises"]
    assert (exercise["id"], exercise["points"], exercise["max_points"]) == ("8.5.2", 15, 15)
    assert {item["status"] for item in exercise["items"]} == {"passed"}
    assert set(exercise["items"][0]) == {"id", "points", "max_points", "status", "rule"}


def test_a_folder_of_learners_gives_a_table_and_a_csv(course):
    shutil.copytree(course / "exercises", course / "class" / "ada")
    shutil.copytree(course / "exercises", course / "class" / "bob")
    (course / "class" / "cyd").mkdir()
    done = radixlab(course, "grade", SHORT.id, "--dir", "class", "--csv", "points.csv", "--seed", 7)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["learner", "ada", "bob", "cyd"]
    assert lines[3].split() == ["cyd", "none", "0"]
    assert done.stderr == "seed 7\n"
    rows = (course / "points.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in rows] == ["learner", "ada", "bob", "cyd"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is Unicode")
def test_a_folders_name_may_be_any_bytes(course):
    (course / "class").mkdir()
    os.rename(course / "exercises", os.fsencode(course / "class") + b"/\xff")
    (course / "class" / "zoe").mkdir()
    radixlab(course, "grade", SHORT.id, "--dir", "class", "--csv", "c.csv", "--junit", "j.xml")
    assert (course / "c.csv").read_text().splitlines()[2].startswith("\\xff,0,")
    assert "\\xff" in (course / "j.xml").read_text()


def test_a_broken_notebook_costs_its_own_learner_only(course):
    shutil.copytree(course / "exercises", course / "class" / "ada")
    shutil.copytree(course / "exercises", course / "class" / "bob")
    (course / "class" / "ada" / NAMES[0]).write_text("{")
    done = radixlab(course, "grade", "8.5.1", "--dir", "class", "--json")
    assert f"ada 8.5.1: not graded: {NAMES[0]} is not a notebook: " in done.stderr
    learners = json.loads(done.stdout)["learners"]
    statuses = [learners[name]["exercises"][0]["items"][0]["status"] for name in ("ada", "bob")]
    assert (statuses, done.returncode) == (["not_run", "stub"], 1)


def test_other_formats_are_written(course):
    files = ("--junit", "j.xml", "--gradescope", "results.json")
    radixlab(course, "grade", SHORT.id, "--dir", "exercises", *files)
    assert "<testsuite " in (course / "j.xml").read_text()
    assert json.loads((course / "results.json").read_text())["score"] == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--dir", "nowhere"], "nowhere"),
        (["--dir", "notebooks"], "no ex*.ipynb in notebooks"),
        (["--seed", "-3"], "-3 is not in the range x>=0"),
        (["--seed", "one"], "'one' is not a valid integer range"),
        (["--seed-file", "seeds.txt"], "seeds are integers"),
        (["--seed-file", "bytes.txt"], "seeds are integers"),
        (["--seed-file", "below.txt"], "-3 is below 0"),
        (["--seed-file", "empty.txt"], "there is none"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(course, args, says):
    (course / "seeds.txt").write_text("1 two")
    (course / "bytes.txt").write_bytes(b"\xff1")
    (course / "below.txt").write_text("1, -3")
    (course / "empty.txt").write_text("\n")
    done = radixlab(course, "grade", *args)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_broken_notebook_is_named(course):
    (course / "exercises" / NAMES[0]).write_text("{")
    for name in NAMES[2:]:
        (course / "exercises" / name).unlink()
    done = radixlab(course, "grade")
    assert (done.returncode, done.stderr) == (1, "")
    assert f": unreadable: {NAMES[0]} is not a notebook: " in done.stdout.splitlines()[0]
    assert done.stdout.count("Nothing is written yet") == 1


def test_more_seeds_make_the_worst_count(course):
    (course / "seeds.txt").write_text("5, 6\n")
    done = radixlab(course, "grade", SHORT.id, "--dir", "exercises", "--seed-file", "seeds.txt")
    assert done.returncode == 1


def test_a_class_gets_a_seed_that_can_be_given_again(course):
    (course / "exercises" / NAMES[0]).unlink()
    drawn = [radixlab(course, "grade", "8.5.1", "--dir", "exercises", "--json") for _ in range(2)]
    seeds = [json.loads(done.stdout)["seeds"] for done in drawn]
    assert seeds[0] != seeds[1]
    assert [f"seed {seed[0]}\n" for seed in seeds] == [done.stderr for done in drawn]
    own = radixlab(course, "grade", "8.5.1", "--json")
    assert (json.loads(own.stdout)["seeds"], own.stderr) == ([0], "")


def test_own_notebooks_are_found_from_inside_their_folder(course):
    radixlab(course, "start")
    for folder in (course, course / "work"):
        (folder / "heapq.py").write_text("raise SystemExit")
        done = radixlab(folder, "grade", SHORT.id)
        assert "Nothing is written yet" in done.stdout and done.stderr == ""


def test_a_home_that_cannot_be_written_costs_a_line_and_no_report(course):
    (course / "home").write_text("a file")
    done = radixlab(course, "grade", SHORT.id)
    assert "Nothing is written yet" in done.stdout
    assert done.stderr.startswith("warning: the points could not be kept: ")
    assert len(done.stderr.splitlines()) == 1


def test_an_interrupted_class_keeps_those_who_are_done(course):
    for name in ("ada", "bob"):
        shutil.copytree(course / "exercises", course / "class" / name)
    notebook = course / "class" / "bob" / f"{SHORT.notebook}.ipynb"
    notebook.write_text(
        notebook.read_text().replace("raise NotImplementedError", "while 1: pass #")
    )
    command = [sys.executable, "-m", "radixlab", "grade", SHORT.id, "--dir", "class"]
    command += ["--csv", "points.csv", "--junit", "points.xml"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=course, env=env, stdout=-1, stderr=-1, text=True) as grading:
        while (
            not (course / "points.csv").exists() or "ada" not in (course / "points.csv").read_text()
        ):
            time.sleep(0.1)
        grading.send_signal(signal.SIGINT)
        out, err = grading.communicate()
    assert grading.returncode == 130
    assert err.splitlines()[-1] == "interrupted: 1 of 2 learners are graded"
    assert "Nothing is written yet" in out
    assert len((course / "points.csv").read_text().splitlines()) == 2
    assert (course / "points.xml").read_text().count("<testsuite ") == 1


def test_watch_grades_again_when_a_notebook_is_saved(course):
    command = [sys.executable, "-m", "radixlab", "grade", SHORT.id, "--watch"]
    env = os.environ | {"RADIXLAB_HOME": str(course / "home"), "PYTHONPATH": str(ROOT)}
    env["PYTHONUNBUFFERED"] = "1"
    with subprocess.Popen(
        command, cwd=course, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as watcher:
        notebook = course / "exercises" / f"{SHORT.notebook}.ipynb"
        whole = notebook.read_text()
        for _ in range(2):
            while not watcher.stdout.readline().endswith("points\n"):
                pass
            for text in (whole[:100], whole):  # half a file does not end it
                time.sleep(1.2)  # it reads the times before it waits
                notebook.write_text(text)
        watcher.kill()


def test_start_history_reset_and_restore_lose_nothing(course):
    name = f"{SHORT.notebook}.ipynb"
    assert name in radixlab(course, "start").stdout
    assert "Nothing to copy" in radixlab(course, "start").stdout
    shutil.copy(course / "solutions" / name, course / "work" / name)
    assert "No version" in radixlab(course, "history", SHORT.id).stdout
    assert radixlab(course, "reset", SHORT.id).returncode == 0
    assert "BEGIN SOLUTION" not in (course / "work" / name).read_text()
    assert "BEGIN SOLUTION" in (course / "work" / "kept" / f"{SHORT.notebook}-1.ipynb").read_text()
    assert len(radixlab(course, "history", SHORT.id).stdout.splitlines()) == 1
    assert "version 1 of" in radixlab(course, "restore", SHORT.id).stdout
    assert "BEGIN SOLUTION" in (course / "work" / name).read_text()
    again = radixlab(course, "restore", SHORT.id).stdout
    assert again.startswith(f"{name} holds version 1 of ") and again.endswith("was changed.\n")
    assert len(radixlab(course, "history", SHORT.id).stdout.splitlines()) == 2


@pytest.mark.parametrize("content", ["nope", "[1]", '{"cells": [3]}', "[" * 10**5, None])
def test_an_exercise_that_is_no_notebook_any_more_can_be_reset(course, content):
    name = f"{SHORT.notebook}.ipynb"
    radixlab(course, "start")
    own = course / "work" / name
    own.write_text(content) if content else (own.unlink(), own.mkdir())
    done = radixlab(course, "reset", SHORT.id)
    assert done.returncode == 0 and "radixlab restore" not in done.stdout
    assert f"work/kept/{SHORT.notebook}-1.ipynb" in done.stdout
    assert own.is_file() and radixlab(course, "start").stdout.startswith("Nothing to copy")


def test_a_lesson_is_reset_and_a_newer_version_is_told_of(course):
    lesson = course / "notebooks" / "00_start_here.ipynb"
    own = course / "work" / lesson.name
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["one"]}]
    whole = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    lesson.write_text(json.dumps(whole))
    radixlab(course, "start")
    own.write_text(own.read_text().replace("one", "mine"))
    lesson.write_text(json.dumps(whole).replace("one", "two"))
    said = radixlab(course, "start").stdout
    assert "there is a newer version, and yours stays as it is. `radixlab reset 00` takes" in said
    assert "mine" in own.read_text()
    assert "work/kept/00_start_here-1.ipynb" in radixlab(course, "reset", "00").stdout
    assert "two" in own.read_text() and "Nothing to copy" in radixlab(course, "start").stdout
    wrong = radixlab(course, "reset", "09")
    assert wrong.returncode == 2 and "notebook '09' is not one of 00, 8.5.1" in wrong.stderr


def test_history_shows_points_the_best_and_what_changed(course):
    history = History("8.5.1", course / "home")
    for number, points in ((1, 4), (2, 25), (3, None)):
        part = Part("8.5.1", None, f"x = 1\ny = {number}\n")
        history.keep(Submission("8.5.1", (part,)))
        if points is not None:
            history.note(number, points)
    lines = radixlab(course, "history", "8.5.1").stdout.splitlines()
    assert [" ".join(line.split()[3:6]) for line in lines] == [
        "4 of 25",
        "25 of 25",
        "not graded 2",
    ]
    assert [line.endswith("(best)") for line in lines] == [False, True, False]
    changed = radixlab(course, "history", "8.5.1", "--diff").stdout.splitlines()
    assert changed[:2] == ["--- version 2", "+++ version 3"]
    assert [line for line in changed[2:] if line[0] in "+-"] == ["-y = 2", "+y = 3"]
    assert "+y = 1" in radixlab(course, "history", "8.5.1", "--diff", "1").stdout
    for number in (0, 9):
        wrong = radixlab(course, "history", "8.5.1", "--diff", number)
        assert f"no version {number} of 8.5.1; the versions kept are 1, 2, 3" in wrong.stderr
        assert wrong.returncode == 2


def test_restoring_what_is_not_there_says_what_is(course):
    radixlab(course, "start")
    assert "no version of 8.5.2 is kept" in radixlab(course, "restore", "8.5.2").stderr
