import json

import numpy as np
import pytest

from radixlab.lesson import predict, reveal
from radixlab.lesson.box import GuessBox
from radixlab.lesson.guesses import GuessBook
from radixlab.lesson.question import Question

BLOCKS = Question("blocks", "How many blocks?", unit="blocks")
NODES = Question("node", "Which node goes first?", ("leaf a", "leaf b"))


@pytest.fixture
def book(home):
    return GuessBook(home / "guesses.json")


def test_without_a_front_end_the_question_is_text(capsys):
    predict("blocks", "How many blocks?", unit="blocks")
    assert capsys.readouterr().out == "Predict: How many blocks?\n  ○ a number of blocks\n"


def test_static_mode_is_text_even_in_a_kernel(capsys, monkeypatch):
    monkeypatch.setattr("radixlab.lesson.question.has_front_end", lambda: True)
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    predict("node", "Which node goes first?", choices=["leaf a", "leaf b"])
    assert capsys.readouterr().out == "Predict: Which node goes first?\n  ○ leaf a\n  ○ leaf b\n"


def test_one_choice_is_no_question():
    with pytest.raises(ValueError, match="two or more"):
        predict("node", "Which?", choices=["leaf a", "leaf a"])


def test_a_typed_number_is_kept_at_once(book, home):
    box = GuessBox(BLOCKS, book)
    box.value = "30"
    assert json.loads((home / "guesses.json").read_text()) == {"blocks": 30}
    assert box.status.startswith("Your guess is kept: 30 blocks.")


def test_each_value_is_answered_even_where_nothing_is_kept(book):
    box = GuessBox(BLOCKS, book)
    for number, typed in enumerate(["30", "many", "", "30"], 1):
        box.value = typed
        assert box.answers == number


def test_a_picked_choice_is_kept_and_can_be_changed(book):
    box = GuessBox(NODES, book)
    assert box.value == ""
    box.value = "leaf a"
    box.value = "leaf b"
    assert book.get("node") == "leaf b"


@pytest.mark.parametrize(
    ("typed", "guess"),
    [("30", 30), (" 1,024 ", 1024), ("62.5", 62.5), ("16 blocks", 16), ("-3", -3), ("3e2", 300)],
)
def test_numbers_as_people_type_them(typed, guess):
    assert BLOCKS.parse(typed) == guess


@pytest.mark.parametrize("typed", ["many", "nan", "inf", "", "<b>"])
def test_what_is_no_number_keeps_the_old_guess(book, typed):
    book.save("blocks", 5)
    box = GuessBox(BLOCKS, book)
    box.value = typed
    assert book.get("blocks") == 5


def test_the_guess_stands_there_again_after_a_restart(book):
    book.save("blocks", 30)
    box = GuessBox(BLOCKS, book)
    assert box.value == "30" and "30 blocks" in box.status


def test_an_old_guess_that_is_no_choice_any_more_is_not_shown(book):
    book.save("node", "leaf z")
    assert GuessBox(NODES, book).value == ""


def test_a_disk_that_refuses_does_not_stop_the_lesson(book):
    book.path.parent.parent.joinpath("home").write_text("a file where the folder should be")
    box = GuessBox(BLOCKS, book)
    box.value = "30"
    assert "could not be kept" in box.status


def test_an_answer_is_told_after_the_guess_only(book):
    asked = Question("blocks", "How many?", unit="blocks", answer=16)
    box = GuessBox(asked, book)
    assert "16" not in box.status
    box.value = "30"
    assert "You said 30 blocks, the answer is 16 blocks." in box.status


@pytest.mark.parametrize(
    ("guess", "actual", "line"),
    [
        (30, 16, "You said 30 blocks, the engine says 16 blocks."),
        (16, np.int64(16), "You said 16 blocks, and the engine says 16 blocks: right."),
        (62, 62.4731, "You said 62 blocks, and the engine says 62.47 blocks: right."),
        (60, 62.4731, "You said 60 blocks, the engine says 62.47 blocks."),
        (15, 16, "You said 15 blocks, the engine says 16 blocks."),
    ],
)
def test_reveal_compares(book, guess, actual, line, capsys):
    book.save("blocks", guess)
    reveal("blocks", actual, unit="blocks")
    assert capsys.readouterr().out == f"{line}\n"


def test_reveal_compares_choices(book, capsys):
    book.save("node", "leaf b")
    reveal("node", "leaf b")
    assert capsys.readouterr().out == "You said leaf b, and the engine says leaf b: right.\n"


def test_reveal_works_without_a_guess(capsys):
    reveal("blocks", 16)
    assert capsys.readouterr().out == "You made no guess; the engine says 16.\n"


def test_reveal_in_static_mode_says_the_same_to_everyone(book, capsys, monkeypatch):
    book.save("blocks", 30)
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    reveal("blocks", 16)
    assert capsys.readouterr().out == "You made no guess; the engine says 16.\n"
