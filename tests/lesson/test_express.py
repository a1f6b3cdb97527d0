"""The express path: the lessons' own questions, the first guess counts, and what is to be read."""

import random
from pathlib import Path

import pytest

from radixlab.lesson import express
from radixlab.lesson.cells import Cell
from radixlab.lesson.course import lessons
from radixlab.lesson.express import UnknownLessonError
from radixlab.lesson.express.box import ExpressBox
from radixlab.lesson.express.excerpt import excerpt
from radixlab.lesson.express.questions import asked
from radixlab.lesson.guesses import GuessBook
from radixlab.lesson.question import answers_beside
from radixlab.lesson.standing import Standing, State

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
COURSE = list(lessons(NOTEBOOKS))
QUESTIONS = {lesson.number: asked(NOTEBOOKS / lesson.file) for lesson in COURSE}
EACH_LESSON = pytest.mark.parametrize("lesson", COURSE, ids=lambda lesson: lesson.number)


@pytest.fixture
def book(home):
    return GuessBook(home / "guesses.json")


def box_of(lesson, book):
    return ExpressBox(lesson.title, QUESTIONS[lesson.number], book)


def wrong_for(question):
    """A guess that is not the answer, as the learner types it."""
    others = [choice for choice in question.question.choices if choice != question.answer]
    return others[0] if others else str(float(question.answer) + 1000)


def play(box, right):
    """Answer what is asked: `right` says of each question whether its guess is to be right."""
    while box.question:
        question = box._questions[box.number]
        answer = str(question.answer)
        box.value = answer if right(question.question.key) else wrong_for(question)
        assert box.is_answered
        box.num_next += 1


@EACH_LESSON
def test_every_question_of_the_core_path_is_asked_with_its_answer(lesson):
    assert tuple(each.question.key for each in QUESTIONS[lesson.number]) == lesson.core
    for each in QUESTIONS[lesson.number]:
        assert not each.question.choices or each.answer in each.question.choices
        assert each.section and each.before and len(excerpt(each.before)) > 100


@EACH_LESSON
def test_the_answer_to_a_question_is_not_shown_before_it_is_asked(lesson):
    for each in QUESTIONS[lesson.number]:
        told = [cell.printed() for cell in each.before if f'"{each.question.key}"' in cell.source]
        assert told == []


@EACH_LESSON
def test_a_lesson_whose_guesses_are_all_right_is_known(lesson, book):
    if not lesson.core:
        pytest.skip("it asks nothing")
    box = box_of(lesson, book)
    play(box, lambda key: True)
    assert box.head.endswith("guesses were right, so the lesson counts as known.")
    assert Standing.of_learner().of_lesson(lesson) is State.KNOWN


@pytest.mark.parametrize("seed", range(6))
def test_a_wrong_guess_names_its_section_and_the_lesson_settles_it(seed, book):
    rng = random.Random(seed)
    lesson = rng.choice([each for each in COURSE if len(each.core) > 1])
    wrong = set(rng.sample(lesson.core, rng.randint(1, len(lesson.core))))
    box = box_of(lesson, book)
    play(box, lambda key: key not in wrong)
    sections = [q.section for q in QUESTIONS[lesson.number] if q.question.key in wrong]
    assert box.report == list(dict.fromkeys(sections))
    standing = Standing.of_learner()
    assert standing.of_lesson(lesson) is State.BEGUN
    assert sum(map(standing.is_right, lesson.core)) == len(lesson.core) - len(wrong)
    for key in wrong:  # the learner runs the cells of the lesson that tell the answers
        answers_beside(book).save(key, 0)
    assert Standing.of_learner().of_lesson(lesson) is State.DONE


def test_the_first_guess_counts(book):
    lesson, question = COURSE[1], QUESTIONS["01"][0]
    box = box_of(lesson, book)
    box.value = wrong_for(question)
    box.value = str(question.answer)
    assert "the engine says" in box.status and question.section in box.status
    assert not Standing.of_learner().is_right(question.question.key)
    again = box_of(lesson, book)
    assert again.number == 1


@pytest.mark.parametrize("typed", ["", "many", "1e999", "nan", "4 blocks of cheese"])
def test_what_is_no_number_is_not_kept(typed, book):
    box = box_of(COURSE[0], book)
    box.value = typed
    assert not box.is_answered and book.all() == {}


def test_a_question_that_was_guessed_in_the_lesson_is_not_asked_again(book):
    lesson = COURSE[0]
    book.save(lesson.core[0], 1)
    assert box_of(lesson, book).number == 1
    for key in lesson.core:
        book.save(key, 1)
    box = box_of(lesson, book)
    assert not box.question and box.head.endswith("There is nothing to ask here.")
    assert Standing.of_learner().of_lesson(lesson) is State.DONE


def test_a_disk_that_keeps_nothing_is_told_and_stops_nothing(home):
    home.parent.joinpath("file").write_text("")
    box = box_of(COURSE[0], GuessBook(home.parent / "file" / "guesses.json"))
    box.value = "16"
    assert box.status.startswith("Your guess could not be kept") and not box.is_answered


@pytest.mark.parametrize("number", ["99", "", -1])
def test_a_lesson_that_does_not_exist_is_refused_with_a_list(number):
    with pytest.raises(UnknownLessonError, match="the lessons are: 00, 01"):
        express(number)


@pytest.mark.parametrize("number", ["1", 1])
def test_without_a_front_end_it_says_how_many_questions_there_are(number, capsys):
    express(number)
    assert capsys.readouterr().out.endswith(f"asks {len(QUESTIONS['01'])} questions.\n")


def test_markup_and_links_in_a_lesson_stay_text():
    cells = [
        Cell("a", "markdown", "See <img src=x onerror=alert(1)> and [here](javascript:alert(1))."),
        Cell("b", "code", "x = '</code><script>'", ({"text": "<b>bold</b>\nPredict: what?\n"},)),
    ]
    shown = excerpt(cells)
    assert "<img" not in shown and "<script" not in shown and "<b>" not in shown
    assert "href" not in shown and "javascript" not in shown and "Predict" not in shown
