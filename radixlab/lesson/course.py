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
    """What a learner has before them."""

    file: str
    title: str
    """As its first line says: `00 · Start here`."""
    minutes: int
    """Of its core path; 0 where it does not say."""
    guesses: tuple[str, ...]
    """The keys under which its guesses are kept, in order."""
    exercises: tuple[str, ...]
    """The ids of the exercises that it leads to."""


def lessons(folder: Path) -> Iterator[Lesson]:
    """Yield the lessons of a folder in the order of the course; none where there is no folder."""
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
