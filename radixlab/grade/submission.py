"""Finding the graded cells of a notebook or the parts of a file.

A graded cell begins with `%%exercise 8.5.2 samples`: an exercise's id and, where the task has
several parts, a part's name. A repeated part replaces the earlier one and keeps its place.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MAGIC = re.compile(r"^\s*%%exercise[ \t]+(?P<id>[\w.]+)(?:[ \t]+(?P<part>[\w-]+))?[ \t]*(?:\n|$)")


class SubmissionError(ValueError):
    """A file that holds no submission; the message is one line and names it."""


@dataclass(frozen=True, slots=True)
class Part:
    """The source of one graded cell, without the magic."""

    exercise_id: str
    name: str | None
    source: str
    place: str = ""
    """Where it was found, as people count: `cell 7`."""

    @property
    def label(self) -> str:
        """What tracebacks call it: `<8.5.2 samples>`."""
        return f"<{self.exercise_id}{f' {self.name}' if self.name else ''}>"

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing but comments and space."""
        lines = (line.strip() for line in self.source.splitlines())
        return all(not line or line.startswith("#") for line in lines)


@dataclass(frozen=True, slots=True)
class Submission:
    """All parts of one exercise, in the order of their first appearance."""

    exercise_id: str
    parts: tuple[Part, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to grade."""
        return all(part.is_empty for part in self.parts)

    def line(self, label: str, number: int) -> str:
        """Return a line of a part, as tracebacks count: the magic is line 1."""
        for part in self.parts:
            lines = part.source.splitlines()
            if part.label == label and 2 <= number <= len(lines) + 1:
                return lines[number - 2].strip()
        return ""


def as_part(cell: str, place: str = "") -> Part | None:
    r"""Read one cell; None if it is not graded.

    >>> as_part("%%exercise 8.5.2 samples\nROUNDS = 16").label
    '<8.5.2 samples>'
    """
    magic = MAGIC.match(cell)
    return magic and Part(magic["id"], magic["part"], cell[magic.end() :], place)


def collect(exercise_id: str, parts: Iterable[Part]) -> Submission:
    """Put the parts of one exercise together."""
    by_name = {part.name: part for part in parts if part.exercise_id == exercise_id}
    return Submission(exercise_id, tuple(by_name.values()))


def read(path: Path, exercise_id: str) -> Submission:
    """Read an exercise from a notebook.

    Raises
    ------
    SubmissionError
        The file is no notebook.
    OSError
        It cannot be read.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [
            (f"cell {number}", "".join(cell["source"]))
            for number, cell in enumerate(cells, 1)
            if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SubmissionError(f"{path.name} is no notebook: {type(error).__name__}") from None
    parts = [as_part(source, place) for place, source in code]
    return collect(exercise_id, [part for part in parts if part])
