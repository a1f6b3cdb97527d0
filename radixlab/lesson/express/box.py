"""The box of the express path: it asks a lesson's questions in turn, and keeps the first guesses.

box/express.js draws it. This file knows questions and the books of guesses.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import anywidget
import traitlets

from radixlab.lesson.box import css, esm
from radixlab.lesson.express.excerpt import excerpt
from radixlab.lesson.express.questions import Asked
from radixlab.lesson.guesses import GuessBook
from radixlab.lesson.question import express_beside, is_right, verdict
from radixlab.lesson.standing import RIGHT, WRONG


class ExpressBox(anywidget.AnyWidget):
    """Ask the questions of one lesson that have no guess yet; at the end, say what to read."""

    _esm: ClassVar[str] = esm("express")
    _css: ClassVar[str] = css()
    head = traitlets.Unicode().tag(sync=True)
    excerpt = traitlets.Unicode().tag(sync=True)
    question = traitlets.Unicode().tag(sync=True)
    choices = traitlets.List(traitlets.Unicode()).tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)
    value = traitlets.Unicode().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    report = traitlets.List(traitlets.Unicode()).tag(sync=True)
    is_answered = traitlets.Bool(False).tag(sync=True)
    answers = traitlets.Int(0).tag(sync=True)
    """The number of handled guesses: the page waits for the next one."""
    num_next = traitlets.Int(0).tag(sync=True)
    """How often the page has asked for the next question."""
    number = traitlets.Int(-1).tag(sync=True)
    """The number of the question that is shown; the page draws itself again when it changes."""

    def __init__(self, title: str, questions: Sequence[Asked], book: GuessBook) -> None:
        super().__init__()
        self._title, self._questions, self._book = title, list(questions), book
        self._express = express_beside(book)
        self._show(self._first_open(0))
        self.observe(self._take, names="value")
        self.observe(lambda _: self._show(self._first_open(self.number + 1)), names="num_next")

    def _first_open(self, start: int) -> int:
        """Return the number of the first question from `start` on that has no guess yet."""
        made = self._book.all()
        numbers = range(start, len(self._questions))
        open_ones = (k for k in numbers if self._questions[k].question.key not in made)
        return next(open_ones, len(self._questions))

    def _show(self, number: int) -> None:
        with self.hold_sync():  # in one message: the page draws all of it
            self.is_answered, self.value, self.status = False, "", ""
            if number < len(self._questions):
                self._ask(number)
            else:
                self._sum_up()
            self.number = number

    def _ask(self, number: int) -> None:
        asked = self._questions[number]
        own = asked.question
        self.head = f"{self._title}: question {number + 1} of {len(self._questions)}"
        self.excerpt, self.question = excerpt(asked.before), own.text
        self.choices = list(own.choices)
        self.hint = f"a number of {own.unit}" if own.unit else "a number"

    def _sum_up(self) -> None:
        self.excerpt = self.question = ""
        self.choices = []
        self.head, *self.report = outcome(self._title, self._questions, self._book)

    def _take(self, change: Any) -> None:
        if not change["new"] or self.is_answered:
            return
        with self.hold_sync():
            self.status = self._keep(self._questions[self.number], change["new"])
            self.answers += 1

    def _keep(self, asked: Asked, typed: str) -> str:
        """Store the first guess, if it is one; return what to say."""
        guess = asked.question.parse(typed)
        if guess is None:
            return "That is not a number: nothing kept."
        right = is_right(guess, asked.answer)
        try:
            self._express.save(asked.question.key, RIGHT if right else WRONG)
            self._book.save(asked.question.key, guess)
        except OSError as error:  # a full or read-only disk must not stop a lesson
            return f"Your guess could not be kept ({error.strerror})."
        self.is_answered = True
        told = verdict(guess, asked.answer, asked.question.unit, "the engine says")
        return told if right else f"{told} The lesson says why, under “{asked.section}”."


def outcome(title: str, questions: Sequence[Asked], book: GuessBook) -> list[str]:
    """Say in one line how it went, and then, line by line, what is to be read."""
    express = express_beside(book).all()
    found = [(asked.section, express.get(asked.question.key)) for asked in questions]
    here = [(section, each) for section, each in found if each is not None]
    wrong = [section for section, each in here if each == WRONG]
    if not here:
        return [f"{title}: you have made its guesses in the lesson. There is nothing to ask here."]
    if not wrong and len(here) == len(found):
        return [f"{title}: all {len(found)} guesses were right, so the lesson counts as known."]
    head = f"{title}: {len(here) - len(wrong)} of {len(here)} guesses right."
    if not wrong:
        return [f"{head} You have made the others in the lesson."]
    return [f"{head} Read these sections, and run their cells:", *dict.fromkeys(wrong)]
