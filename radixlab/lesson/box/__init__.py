"""The box for a guess in a notebook: the Python side, which keeps the guess; box.js draws it.

This package knows questions and the book of guesses.
"""

import re
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets

from radixlab.lesson.guesses import GuessBook
from radixlab.lesson.question import Question, keep_answer

_HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import .* from "\./fields\.js";\n', re.MULTILINE)


def esm(name: str) -> str:
    """Join fields.js and a module that imports it: anywidget takes one text."""
    fields, own = ((_HERE / f"{each}.js").read_text(encoding="utf-8") for each in ("fields", name))
    return fields.replace("\nexport function", "\nfunction") + _IMPORT.sub("", own)


def css() -> str:
    """Return the style sheet."""
    return (_HERE / "box.css").read_text(encoding="utf-8")


class GuessBox(anywidget.AnyWidget):
    """Show a question, and keep each answer to it in `book` at once."""

    _esm: ClassVar[str] = esm("box")
    _css: ClassVar[str] = css()
    question = traitlets.Unicode().tag(sync=True)
    choices = traitlets.List(traitlets.Unicode()).tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)
    value = traitlets.Unicode().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    answers = traitlets.Int(0).tag(sync=True)
    """The number of handled values: the page waits for the next one, and warns if none comes."""

    def __init__(self, question: Question, book: GuessBook) -> None:
        before = book.get(question.key)
        known = before is not None and question.parse(str(before)) is not None
        super().__init__(
            question=question.text,
            choices=list(question.choices),
            hint=f"a number of {question.unit}" if question.unit else "a number",
            value=str(before) if known else "",
            status=question.comment(before) if known and before is not None else "",
        )
        self._question, self._book = question, book
        if known and question.answer is not None:  # the status tells it
            keep_answer(book, question.key, question.answer)
        self.observe(self._take, names="value")

    def _take(self, change: Any) -> None:
        status = self._keep(change["new"])
        with self.hold_sync():  # in one message: the page reads both
            self.status = status
            self.answers += 1

    def _keep(self, typed: str) -> str:
        """Store what was typed, if it is a guess; return the message to show."""
        guess = self._question.parse(typed)
        if guess is None:
            return "That is not a number: nothing kept." if typed else ""
        try:
            self._book.save(self._question.key, guess)
        except OSError as error:  # a full or read-only disk must not stop a lesson
            return f"Your guess could not be kept ({error.strerror})."
        if self._question.answer is not None:
            keep_answer(self._book, self._question.key, self._question.answer)
        return self._question.comment(guess)
