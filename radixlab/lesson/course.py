"""The lessons as a list: title, minutes, guesses and exercises, read from the notebooks as data."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from radixlab.lesson.calls import keys
from radixlab.lesson.cells import Cell, cells_of, core_cells

_MINUTES = re.compile(r"^\*About (\d+) minutes", re.MULTILINE)
_BUILDS_ON = re.compile(r"^\*Builds on: (.*)\*$", re.MULTILINE)
_LINK = re.compile(r"\]\((\w+\.ipynb)\)")


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson of the course."""

    file: str
    title: str
    """The title in its first line, such as `00 · Start here`."""
    minutes: int
    """Minutes of the core path; 0 if the lesson does not say."""
    guesses: tuple[str, ...]
    """The keys of its guesses, in order."""
    core: tuple[str, ...]
    """Those of them that are on the core path."""
    exercises: tuple[str, ...]
    """The ids of the exercises that belong to it: no earlier lesson names them."""
    builds_on: tuple[str, ...]
    """The files of the lessons that it needs, as its first cell names them."""

    @property
    def number(self) -> str:
        """The lesson's number in two digits: `02`."""
        return self.file[:2]


def lessons(folder: Path) -> Iterator[Lesson]:
    """Yield the lessons of a folder in the order of the course; none without a folder."""
    named: set[str] = set()
    for path in sorted(folder.glob("[0-9]*.ipynb")):
        cells = cells_of(path)
        first = cells[0].source if cells else ""
        minutes, builds_on = _MINUTES.search(first), _BUILDS_ON.search(first)
        exercises = tuple(id for id in _keys(cells, "exercise") if id not in named)
        named.update(exercises)
        yield Lesson(
            path.name,
            title=first.partition("\n")[0].removeprefix("# ") or path.stem,
            minutes=int(minutes[1]) if minutes else 0,
            guesses=_keys(cells, "predict"),
            core=_keys(core_cells(cells), "predict"),
            exercises=exercises,
            builds_on=tuple(_LINK.findall(builds_on[1])) if builds_on else (),
        )


def _keys(cells: Iterable[Cell], call: str) -> tuple[str, ...]:
    code = (cell.source for cell in cells if cell.cell_type == "code")
    return tuple(key for source in code for key in keys(source, call))
