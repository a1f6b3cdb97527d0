"""What each cell of a lesson does to its section: it begins the section, changes or reads it.

The tags of the cells say this, and `publish/tags.py` reads them. `make notebooks` saves what they
say in `guarded/`, and the guard in a kernel reads it from there.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("guarded")


@dataclass(frozen=True, slots=True)
class Cell:
    """One code cell of a lesson."""

    id: str
    kind: str
    """`fresh`, `step` or `free`, as its tag says; without a tag `read`, and it changes nothing."""
    mark: str
    """Stands for its source text."""
    label: str
    """The first line of the cell, by which a learner finds it."""
    section: str | None = None
    """The id of the fresh cell that begins its section; None if it is not guarded."""
    before: tuple[str, ...] = ()
    """The ids of the steps of its section before this cell."""
    needs: dict[str, str] = field(default_factory=dict)
    """The names that it uses, each with the id of the defining cell above."""
    raises: bool = False
    """Whether it ends in an exception on purpose."""


Lesson = dict[str, Cell]
"""The code cells of a lesson by their ids, in order."""


def mark_of(source: str) -> str:
    """Return a short name of a cell's text; blanks at the ends of lines do not matter."""
    text = "\n".join(line.rstrip() for line in source.strip().split("\n"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def write(lesson: Lesson) -> str:
    """Return a lesson as text, one cell per line."""
    rows = [json.dumps(_row(cell), ensure_ascii=False) for cell in lesson.values()]
    return "[\n" + ",\n".join(rows) + "\n]\n"


def read(text: str) -> Lesson:
    """Return the lesson that `write` wrote."""
    rows = (row | {"before": tuple(row.get("before", ()))} for row in json.loads(text))
    return {row["id"]: Cell(**row) for row in rows}


def lessons(folder: Path = FOLDER) -> dict[str, Lesson]:
    """Return all lessons by the names of their notebooks."""
    return {path.stem: read(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


def _row(cell: Cell) -> dict[str, Any]:
    return {key: value for key, value in asdict(cell).items() if value}
