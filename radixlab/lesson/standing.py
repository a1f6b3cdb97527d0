"""Where a learner stands: the state of each lesson and exercise, from guesses and points.

A lesson is *known* if all guesses of its core path were right at the first try, on the express
path. It is *done* if they are all made, and each that was wrong on the express path has been
looked at in the lesson. This file reads the learner's files; it shows nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from radixlab.grade.items import Exercise
from radixlab.grade.progress import Progress
from radixlab.lesson.course import Lesson
from radixlab.lesson.guesses import Guess
from radixlab.lesson.question import answers_beside, express_beside, guess_book, is_right

RIGHT, WRONG = "right", "wrong"
"""What the book of the express path says of a guess."""


class State(StrEnum):
    """How far a lesson or an exercise is."""

    OPEN = "open"
    BEGUN = "begun"
    DONE = "done"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known of a learner; without arguments, of one who has not begun."""

    guesses: Mapping[str, Guess] = field(default_factory=dict)
    answers: Mapping[str, Guess] = field(default_factory=dict)
    """The first answer that the lessons told, by key."""
    express: Mapping[str, Guess] = field(default_factory=dict)
    """Whether the guess on the express path was right, by key."""
    points: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """What `Progress` has of each exercise."""

    @classmethod
    def of_learner(cls) -> "Standing":
        """Read the learner's files."""
        book = guess_book()
        return cls(
            book.all(), answers_beside(book).all(), express_beside(book).all(), Progress().load()
        )

    def is_right(self, key: str) -> bool:
        """Whether a guess was made and was right."""
        if key in self.express:
            return self.express[key] == RIGHT
        return (
            key in self.guesses
            and key in self.answers
            and is_right(self.guesses[key], self.answers[key])
        )

    def of_lesson(self, lesson: Lesson) -> State:
        """Return the state of a lesson, by the guesses of its core path."""
        if lesson.core and all(self.express.get(key) == RIGHT for key in lesson.core):
            return State.KNOWN
        if lesson.core and all(map(self._is_settled, lesson.core)):
            return State.DONE
        begun = any(key in self.guesses for key in lesson.guesses)
        return State.BEGUN if begun else State.OPEN

    def of_exercise(self, task: Exercise) -> State:
        """Return the state of an exercise, by its points."""
        found = self.points.get(task.id)
        if found is None:
            return State.OPEN
        return State.DONE if found["points"] >= task.points else State.BEGUN

    def _is_settled(self, key: str) -> bool:
        seen = self.express.get(key) != WRONG or key in self.answers
        return key in self.guesses and seen
