"""The lessons as a list: title, minutes, guesses and exercises, read from the notebooks as data."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from radixlab.lesson.calls import keys

_MINUTES = re.compile(r"^\*About (\d+) minutes", re.MULTILINE)


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
    exercises: tuple[str, ...]
    """The ids of the exercises that belong to it."""


def lessons(folder: Path) -> Iterator[Lesson]:
    """Yield the lessons of a folder in the order of the course; none without a folder."""
    for path in sorted(folder.glob("[0-9]*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8")).get("cells", ())
        first = "".join(cells[0]["source"]) if cells else ""
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        found = _MINUTES.search(first)
        yield Lesson(
            path.name,
            title=first.partition("\n")[0].removeprefix("# ") or path.stem,
            minutes=int(found[1]) if found else 0,
            guesses=tuple(key for source in code for key in keys(source, "predict")),
            exercises=tuple(key for source in code for key in keys(source, "exercise")),
        )
