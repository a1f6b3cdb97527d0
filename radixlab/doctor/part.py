"""What a part of a machine is for the doctor: its name, how to look at it, who needs it."""

from collections.abc import Callable
from dataclasses import dataclass

ALL_LESSONS = "all lessons"
WITH_MODEL = "lessons 06, 08 and 09"
WITH_SERVER = "lessons 08 and 09"


class Lacking(Exception):
    """A part is not there; the message says what that means or what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part by name, how to look at it, and which lessons need it."""

    name: str
    check: Callable[[], str]
    lessons: str = ""
