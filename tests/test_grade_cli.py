"""`radixlab grade`, `start`, `history`, `restore` and `reset`, as people type them."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radixlab.grade.registry import EXERCISES

ROOT = Path(__file__).parents[1]
NAMES = [f"{exercise.notebook}.ipynb" for exercise in EXERCISES.values()]
LAST = list(EXERCISES.values())[-1]


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
    command = [sys.executable, "-m", "radixlab", *map(str, args)]
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
    done = radixlab(course, "grade", "--dir", "class", "--csv", "points.csv")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["learner", "ada", "bob"]
    rows = (course / "points.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in rows] == ["learner", "ada", "bob"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is Unicode")
def test_a_folders_name_may_be_any_bytes(course):
    (course / "class").mkdir()
    os.rename(course / "exercises", os.fsencode(course / "class") + b"/\xff")
    (course / "class" / "none").mkdir()
    radixlab(course, "grade", LAST.id, "--dir", "class", "--csv", "c.csv", "--junit", "j.xml")
    assert (course / "c.csv").read_text().splitlines()[1].startswith("\\xff,0,")
    assert "\\xff" in (course / "j.xml").read_text()


def test_a_broken_notebook_costs_its_own_learner_only(course):
    shutil.copytree(course / "exercises", course / "class" / "ada")
    shutil.copytree(course / "exercises", course / "class" / "bob")
    (course / "class" / "ada" / NAMES[0]).write_text("{")
    done = radixlab(course, "grade", "--dir", "class", "--json")
    assert f"ada: not graded: {NAMES[0]} is no notebook" in done.stderr
    learners = json.loads(done.stdout)["learners"]
    statuses = [learners[name]["exercises"][0]["items"][0]["status"] for name in ("ada", "bob")]
    assert (statuses, done.returncode) == (["not_run", "stub"], 1)


def test_other_formats_are_written(course):
    files = ("--junit", "j.xml", "--gradescope", "results.json")
    radixlab(course, "grade", LAST.id, "--dir", "exercises", *files)
    assert "<testsuite " in (course / "j.xml").read_text()
    assert json.loads((course / "results.json").read_text())["score"] == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["9.9.9"], "there is no exercise '9.9.9'"),
        (["--dir", "nowhere"], "nowhere"),
        (["--dir", "notebooks"], "no ex*.ipynb in notebooks"),
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
    done = radixlab(course, "grade", "--dir", "exercises")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2,
        f"error: {NAMES[0]} is no notebook: JSONDecodeError",
    )


def test_more_seeds_make_the_worst_count(course):
    (course / "seeds.txt").write_text("5, 6\n")
    done = radixlab(course, "grade", LAST.id, "--dir", "exercises", "--seed-file", "seeds.txt")
    assert done.returncode == 1


def test_watch_grades_again_when_a_notebook_is_saved(course):
    command = [sys.executable, "-m", "radixlab", "grade", LAST.id, "--watch"]
    env = os.environ | {"RADIXLAB_HOME": str(course / "home"), "PYTHONPATH": str(ROOT)}
    env["PYTHONUNBUFFERED"] = "1"
    with subprocess.Popen(
        command, cwd=course, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as watcher:
        notebook = course / "exercises" / f"{LAST.notebook}.ipynb"
        whole = notebook.read_text()
        for _ in range(2):
            while not watcher.stdout.readline().endswith("points\n"):
                pass
            for text in (whole[:100], whole):  # half a file does not end it
                time.sleep(1.2)  # it reads the times before it waits
                notebook.write_text(text)
        watcher.kill()


def test_start_history_reset_and_restore_lose_nothing(course):
    name = f"{LAST.notebook}.ipynb"
    assert name in radixlab(course, "start").stdout
    assert "Nothing to copy" in radixlab(course, "start").stdout
    shutil.copy(course / "solutions" / name, course / "work" / name)
    assert "No version" in radixlab(course, "history", LAST.id).stdout
    assert radixlab(course, "reset", LAST.id).returncode == 0
    assert "BEGIN SOLUTION" not in (course / "work" / name).read_text()
    assert "BEGIN SOLUTION" in (course / "work" / "kept" / f"{LAST.notebook}-1.ipynb").read_text()
    assert len(radixlab(course, "history", LAST.id).stdout.splitlines()) == 1
    assert "version 1" in radixlab(course, "restore", LAST.id).stdout
    assert "BEGIN SOLUTION" in (course / "work" / name).read_text()


@pytest.mark.parametrize("content", ["nope", "[1]", '{"cells": [3]}', "[" * 10**5, None])
def test_an_exercise_that_is_no_notebook_any_more_can_be_reset(course, content):
    name = f"{LAST.notebook}.ipynb"
    radixlab(course, "start")
    own = course / "work" / name
    own.write_text(content) if content else (own.unlink(), own.mkdir())
    done = radixlab(course, "reset", LAST.id)
    assert done.returncode == 0 and "radixlab restore" not in done.stdout
    assert f"work/kept/{LAST.notebook}-1.ipynb" in done.stdout
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
    assert wrong.returncode == 2 and "there is no notebook '09': 00, 8.5.1" in wrong.stderr


def test_restoring_what_is_not_there_says_what_is(course):
    radixlab(course, "start")
    assert "no version of 8.5.2 is kept" in radixlab(course, "restore", "8.5.2").stderr
