"""Guess, run the cell, compare: a question never blocks, and a guess is stored at once.

This file knows questions and front ends. `box` draws a question, and `guesses.py` stores guesses.
"""

import math
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import SupportsFloat

from radixlab.home import is_static, learner_home
from radixlab.lesson.guesses import Guess, GuessBook

_first_answers: dict[str, Guess] = {}
"""The first answer that `reveal` printed in this kernel, by key."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question: choose one of `choices`, or give a number if there are none."""

    key: str
    text: str
    choices: tuple[str, ...] = ()
    unit: str = ""
    answer: Guess | None = None
    """The answer to tell as soon as a guess is made; None leaves it to `reveal`."""

    def __str__(self) -> str:
        options = self.choices or (f"a number of {self.unit}" if self.unit else "a number",)
        return "\n".join([f"Predict: {self.text}", *(f"  ○ {option}" for option in options)])

    def parse(self, typed: str) -> Guess | None:
        """Return what was typed or picked as a guess; None if it is not one."""
        if self.choices:
            return typed if typed in self.choices else None
        return _number(typed.strip().removesuffix(self.unit))

    def comment(self, guess: Guess) -> str:
        """Return the message for a stored guess, with the answer if it is told at once."""
        kept = f"Your guess is kept: {_with_unit(guess, self.unit)}."
        if self.answer is None:
            return f"{kept} Run on to see."
        return f"{kept} {verdict(guess, self.answer, self.unit, 'the answer is')}"


def predict(
    key: str,
    question: str,
    answer: object = None,
    *,
    choices: Sequence[object] | None = None,
    unit: str = "",
) -> None:
    """Ask for a guess: a row of `choices`, or a number of `unit`.

    Each change is stored at once under `key`; `reveal(key, actual)` compares later. Without a front
    end, and in committed notebooks, the question is shown as text.

    Parameters
    ----------
    key
        Names the guess; unique in the whole course.
    answer
        Told right after the guess; without it, only `reveal` tells the answer.

    Raises
    ------
    ValueError
        Two choices are equal, or there is only one.
    """
    options = tuple(str(choice) for choice in choices or ())
    if choices is not None and (len(options) < 2 or len(set(options)) < len(options)):
        raise ValueError(f"question {key!r} needs two or more different choices, not {options}")
    known = None if answer is None else _plain(answer)
    asked = Question(key, question, options, unit, known)
    if is_static() or not has_front_end():
        print(asked)
        return
    from IPython.display import display

    from radixlab.lesson.box import GuessBox

    display(GuessBox(asked, guess_book()))


def reveal(key: str, actual: object, unit: str = "") -> None:
    """Print the guess stored under `key` beside the engine's answer.

    In a notebook the first answer is kept: if the cell runs again in a later state, it measures
    something else.

    >>> reveal("never-asked", 16, unit="blocks")
    You made no guess; the engine says 16 blocks.
    """
    now = _plain(actual)
    measured = _first_answers.setdefault(key, now) if has_front_end() else now
    guess = None if is_static() else guess_book().get(key)
    if guess is None:
        print(f"You made no guess; the engine says {_with_unit(measured, unit)}.")
    else:
        print(verdict(guess, measured, unit, "the engine says"))
        keep_answer(guess_book(), key, measured)
    if now != measured:
        print(f"(This run says {_with_unit(now, unit)}: the first answer is kept.)")


def keep_answer(guesses: GuessBook, key: str, answer: Guess) -> None:
    """Store the first answer that a learner was told; `progress` counts by it."""
    answers = answers_beside(guesses)
    with suppress(OSError):  # a full or read-only disk must not stop a lesson
        if answers.get(key) is None:
            answers.save(key, answer)


def answers_beside(guesses: GuessBook) -> GuessBook:
    """Return the book of answers that belongs to a book of guesses."""
    return GuessBook(guesses.path.with_name("answers.json"))


def express_beside(guesses: GuessBook) -> GuessBook:
    """Return the book that says which guesses were right on the express path."""
    return GuessBook(guesses.path.with_name("express.json"))


def is_right(guess: Guess, actual: Guess) -> bool:
    """Whether a guess equals the answer, or is within 1 % of a measured one.

    >>> is_right(62, 62.4731), is_right(62, 63), is_right("leaf a", "leaf a")
    (True, False, True)
    """
    if _with_unit(guess, "") == _with_unit(actual, ""):
        return True
    if isinstance(guess, int | float) and isinstance(actual, float):
        return math.isclose(guess, actual, rel_tol=0.01)  # nobody guesses 62.4731
    return False


def guess_book() -> GuessBook:
    """Return the learner's book of guesses."""
    return GuessBook(learner_home() / "guesses.json")


def has_front_end() -> bool:
    """Whether a kernel runs this; a script cannot show a widget."""
    if "ipykernel" not in sys.modules or "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return hasattr(get_ipython(), "kernel")


def _number(typed: str) -> int | float | None:
    try:
        value = float(typed.replace(",", "").replace("_", ""))
    except ValueError:
        return None
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def _plain(value: object) -> Guess:
    """Convert NumPy scalars and other values to types for JSON and prose."""
    if isinstance(value, str | bool):
        return str(value)
    if isinstance(value, SupportsFloat):
        number = float(value)
        return int(number) if number.is_integer() else number
    return str(value)


def _with_unit(value: Guess, unit: str) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}".rstrip()


def verdict(guess: Guess, actual: Guess, unit: str, source: str) -> str:
    """Compare a guess with the answer in one sentence."""
    said, told = _with_unit(guess, unit), _with_unit(actual, unit)
    return (
        f"You said {said}, and {source} {told}: right."
        if is_right(guess, actual)
        else f"You said {said}, {source} {told}."
    )
