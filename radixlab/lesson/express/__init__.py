"""The express path: whoever guesses all of a lesson right need not read it.

The questions are the lesson's own. This package knows lessons as data, and the learner's guesses.
"""

from pathlib import Path

import radixlab
from radixlab.escape import count
from radixlab.grade.copies import LESSONS, WORK
from radixlab.home import is_static
from radixlab.lesson.course import Lesson, lessons
from radixlab.lesson.express.questions import asked
from radixlab.lesson.question import guess_book, has_front_end

__all__ = ["UnknownLessonError", "express"]


class UnknownLessonError(ValueError):
    """There is no lesson with this number."""


def express(number: str | int) -> None:
    """Ask the questions of a lesson's core path one after the other, without opening the lesson.

    The first guess counts, and the answer is told at once. If all are right, the lesson counts as
    known. If not, the sections to read are named. Questions that you have guessed before, here or
    in the lesson, are not asked again.

    Raises
    ------
    UnknownLessonError
        There is no such lesson; the message lists those that there are.
    """
    root = Path(radixlab.__file__).parent.parent
    lesson = _found(number, list(lessons(root / LESSONS)))
    questions = asked(root / LESSONS / lesson.file)
    if is_static() or not has_front_end() or not questions:
        asks = f"asks {count(len(questions), 'question')}" if questions else "asks nothing"
        print(f"Express path of {WORK}/{lesson.file}: the lesson {asks}.")
        return
    from IPython.display import display

    from radixlab.lesson.express.box import ExpressBox

    display(ExpressBox(lesson.title, questions, guess_book()))


def _found(number: str | int, course: list[Lesson]) -> Lesson:
    text = str(number).strip()
    wanted = text.zfill(2) if text else ""
    for lesson in course:
        if lesson.number == wanted:
            return lesson
    known = ", ".join(lesson.number for lesson in course) or "none is installed"
    raise UnknownLessonError(f"there is no lesson {number!r}; the lessons are: {known}")
