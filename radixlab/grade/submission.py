"""Finding the graded cells of a notebook.

A graded cell begins with `%%exercise 8.5.2 samples`: an exercise's id and, where the task has
several parts, a part's name. A repeated part replaces the earlier one at its position. What
looks like a graded cell and is not gets one line that says why: no zero is silent.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from radixlab.grade.cells import cells_of, source_of

PARTS = {
    "8.5.1": (),
    "8.5.2": ("samples", "report"),
    "8.5.3": ("look", "order", "uses", "plan"),
    "8.5.4": ("lru", "policy"),
    "8.5.5": ("ledger", "monitor", "incidents", "deploy"),
}
"""The parts that each exercise is handed out with; a learner may use others, or a single cell."""

_MAGIC = re.compile(r"%%exercise(?: (?P<id>\S+)(?: (?P<rest>.*))?)?")
_ALMOST = re.compile(r"[^\w`]*%[^\w`]*exc?er\w*|.*run_cell_magic\W+exercise", re.IGNORECASE)
"""What somebody may have meant as the magic."""
_MOST_DOUBTS = 20


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
    doubts: tuple[str, ...] = ()
    """What looks as if it should be graded and is not, one line each."""
    absent: Literal["", "not handed in", "unreadable"] = ""
    why: str = ""
    """One line on why it is absent."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to grade."""
        return all(part.is_empty for part in self.parts)

    @property
    def used(self) -> tuple[str, ...]:
        """Name the cells that are graded: `cell 7 (samples)`."""
        return tuple(f"{p.place} ({p.name})" if p.name else p.place for p in self.parts)

    @property
    def sources(self) -> dict[str | None, str]:
        """Return what was written, by part; empty parts are left out."""
        return {part.name: part.source for part in self.parts if not part.is_empty}

    @property
    def missing(self) -> list[str]:
        """Name the parts of the exercise that are not here."""
        names = {part.name for part in self.parts}
        known = PARTS.get(self.exercise_id, ())
        return [name for name in known if name not in names] if names <= {*known} else []

    def line(self, label: str, number: int) -> str:
        """Return a line of a part, as tracebacks count: the magic is line 1."""
        for part in self.parts:
            lines = part.source.split("\n")
            if part.label == label and 2 <= number <= len(lines) + 1:
                return lines[number - 2].strip()
        return ""


def as_part(cell: str, place: str = "") -> Part | str | None:
    r"""Read a code cell: a part, or why it is not graded though it looks so, or None.

    >>> as_part("%%exercise 8.5.2 samples\nROUNDS = 16").label
    '<8.5.2 samples>'
    >>> as_part("%%exercise 8.5.l\n")
    "there is no exercise '8.5.l': 8.5.1, 8.5.2, 8.5.3, 8.5.4, 8.5.5"
    """
    lines = cell.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((n for n, line in enumerate(lines) if _as_typed(line)), 0)
    magic = _MAGIC.fullmatch(_as_typed(lines[first]))
    if magic is None:
        return _looks_graded(lines)
    if magic["id"] not in PARTS:
        named = (
            f"there is no exercise {magic['id'][:40]!r}" if magic["id"] else "it names no exercise"
        )
        return f"{named}: {', '.join(PARTS)}"
    if magic["rest"] and not re.fullmatch(r"[\w-]+", magic["rest"]):
        return f"only the name of a part may stand behind the id, not {magic['rest'][:40]!r}"
    return Part(magic["id"], magic["rest"], "\n".join(lines[first + 1 :]), place)


def _as_typed(line: str) -> str:
    """Return a line as it looks: no invisible characters, and one kind of space and of digit."""
    visible = "".join(c for c in line if unicodedata.category(c) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", visible).split())


def _looks_graded(lines: list[str]) -> str | None:
    for number, line in enumerate(lines, 1):
        if line.isascii() and "%" not in line and "run_cell_magic" not in line:
            continue
        typed = _as_typed(line[:400])
        if _ALMOST.match(typed):
            where = "its first line" if number == 1 else f"its line {number}"
            return f"{where} says `{typed[:60]}`; the first line must read `%%exercise 8.5.N`"
    return None


def collect(exercise_id: str, parts: Iterable[Part], doubts: Iterable[str] = ()) -> Submission:
    """Put the parts of one exercise together; say which of them do not count."""
    by_name: dict[str | None, Part] = {}
    found = list(doubts)
    for part in parts:
        if part.exercise_id == exercise_id:
            if part.name and part.name not in PARTS[exercise_id]:
                has = ", ".join(PARTS[exercise_id]) or "none"
                found.append(
                    f"{part.place} is graded as the part {part.name}; parts handed out: {has}"
                )
            if earlier := by_name.get(part.name):
                found.append(f"{earlier.place} was not graded: {part.place} holds the same part")
            by_name[part.name] = part
        else:
            found.append(f"{part.place} was not graded: it belongs to exercise {part.exercise_id}")
    return Submission(exercise_id, tuple(by_name.values()), tuple(found[:_MOST_DOUBTS]))


def read(path: Path, exercise_id: str) -> Submission:
    """Read an exercise from a notebook.

    Raises
    ------
    SubmissionError
        The file cannot be read or is not a notebook.
    """
    parts, doubts = [], []
    for number, cell in enumerate(cells_of(path), 1):
        place = f"cell {number}"
        found = _read_cell(cell, place)
        if isinstance(found, Part):
            parts.append(found)
            if _looks_graded(found.source.split("\n")):
                doubts.append(f"{place} holds `%%exercise` twice and is graded as one part")
        elif found:
            doubts.append(f"{place} was not graded: {found}")
    return collect(exercise_id, parts, doubts)


def _read_cell(cell: Any, place: str) -> Part | str | None:
    source = source_of(cell)
    if source is None:
        return "it has no readable source"
    found = as_part(source, place)
    if found and cell["cell_type"] != "code":
        return f"it looks like a graded cell, and its type is {str(cell['cell_type'])[:20]!r}"
    if any("\ud800" <= c <= "\udfff" for c in source):
        return found and "it holds half of a character (a lone surrogate)"
    return found
