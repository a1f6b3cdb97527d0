"""What `progress()` tells: guesses made and right, minutes, points, and the first thing to do."""

import json
from pathlib import Path

import pytest

import radixlab
from radixlab.grade.registry import EXERCISES
from radixlab.lesson import progress, question, reveal
from radixlab.lesson.box import GuessBox
from radixlab.lesson.course import lessons
from radixlab.lesson.guesses import GuessBook
from radixlab.lesson.question import Question, guess_book

COURSE = list(lessons(Path(radixlab.__file__).parent.parent / "notebooks"))


@pytest.fixture
def front_end(monkeypatch):
    monkeypatch.setattr(question, "has_front_end", lambda: True)


def told(capsys):
    """What `progress` prints, without its lines about copies of whoever runs the tests."""
    progress()
    return [line for line in capsys.readouterr().out.splitlines() if "newer version" not in line]


def test_every_lesson_is_listed_with_its_minutes_and_guesses(capsys):
    lines = told(capsys)
    assert lines[0].split() == ["lesson", "guesses", "right", "minutes"]
    for lesson, line in zip(COURSE, lines[1:], strict=False):
        assert line.startswith(lesson.title) and lesson.minutes > 0
        assert line.split()[-5:] == ["0", "of", str(len(lesson.guesses)), "0", str(lesson.minutes)]
    assert max(map(len, lines)) <= 80


def test_every_exercise_belongs_to_a_lesson():
    found = [exercise for lesson in COURSE for exercise in lesson.exercises]
    has_production = any(lesson.file.startswith("08") for lesson in COURSE)
    assert sorted(found) == sorted(id for id in EXERCISES if has_production or id != "8.5.5")


def test_a_guess_that_was_right_counts(capsys, front_end):
    for key, answer in zip(COURSE[0].guesses, (16, 0, 3), strict=True):
        guess_book().save(key, 16)
        reveal(key, answer)
    capsys.readouterr()
    row = told(capsys)[1]
    assert row.split()[-6:] == ["3", "of", "3", "1", str(COURSE[0].minutes), "done"]


def test_the_first_answer_counts(front_end, home):
    guess_book().save("key", 3)
    question._first_answers.clear()
    reveal("key", 3)
    question._first_answers.clear()  # another kernel
    reveal("key", 4)
    assert json.loads((home / "answers.json").read_text()) == {"key": 3}


def test_an_answer_that_is_told_at_once_is_kept_with_the_guess(home):
    box = GuessBox(Question("key", "How many?", answer=7), GuessBook(home / "guesses.json"))
    assert not (home / "answers.json").exists()
    box.value = "5"
    assert json.loads((home / "answers.json").read_text()) == {"key": 7}


def test_what_is_next_is_the_first_lesson_with_an_open_guess(capsys):
    assert f"Next: lesson {COURSE[0].title}, about" in told(capsys)[-1]
    for key in COURSE[0].guesses:
        guess_book().save(key, 1)
    assert told(capsys)[-1].endswith(f"work/{COURSE[1].file}")


def test_what_is_next_may_be_an_item_of_an_exercise(capsys, home):
    for lesson in COURSE[:3]:
        for key in lesson.guesses:
            guess_book().save(key, 1)
    assert "Next: exercise 8.5.1, item match" in told(capsys)[-1]
    first, *_ = EXERCISES["8.5.1"].items
    entry = {"points": 3, "max_points": 25, "best": 9, "items": {first.id: "passed"}}
    (home / "progress.json").write_text(json.dumps({"8.5.1": entry}))
    lines = told(capsys)
    assert f"item {EXERCISES['8.5.1'].items[1].id}: work/ex1_radix_tree.ipynb" in lines[-1]
    assert any(line.endswith("3 of 25, best 9") for line in lines)


@pytest.mark.parametrize(
    "items", [None, 3, {item.id: "passed" for item in EXERCISES["8.5.1"].items}]
)
def test_odd_items_of_an_older_course_cost_nothing(capsys, home, items):
    for lesson in COURSE[:3]:
        for key in lesson.guesses:
            guess_book().save(key, 1)
    entry = {"points": 3, "max_points": 20, "best": 9, "items": items}
    (home / "progress.json").write_text(json.dumps({"8.5.1": entry}))
    assert "Next: exercise 8.5.1, item match" in told(capsys)[-1]


def test_a_checked_notebook_shows_no_learners_state(capsys, monkeypatch):
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    lines = told(capsys)
    assert len(lines) == len(EXERCISES) and all(line.endswith("not begun") for line in lines)
