"""How long a lesson takes, on its core path and with everything, by one printed rule.

The rule: 200 words per minute, a minute per guess, and a minute to run. This file knows notebooks
as data.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from radixlab.lesson.calls import calls
from radixlab.lesson.cells import core_cells

WORDS_A_MINUTE = 200
_LINE = (
    "*About {core} minutes on the core path, {all} with everything "
    "(words ÷ 200 a minute, a minute a guess, a minute to run).*"
)


def minutes(notebook: Any) -> tuple[int, int]:
    """Return the minutes of the core path and of the whole notebook, both rounded up."""
    return _minutes(core_cells(notebook.cells)), _minutes(notebook.cells)


def line(notebook: Any) -> str:
    """Return the line under the lesson's title."""
    core, everything = minutes(notebook)
    return _LINE.format(core=core, all=everything)


def has_line(notebook: Any) -> bool:
    """Whether the second paragraph of the title cell is the current line."""
    title = notebook.cells[0].source.split("\n") if notebook.cells else [""]
    text = [row for row in title if row.strip()]
    return len(text) > 1 and text[0].startswith("# ") and text[1] == line(notebook)


def write_line(notebook: Any) -> None:
    """Put the current line under the title; a notebook without a title is not changed."""
    cell = notebook.cells[0] if notebook.cells else None
    if cell is None or cell.cell_type != "markdown" or not cell.source.startswith("# "):
        return
    heading, *rest = cell.source.split("\n")
    body = "\n".join(row for row in rest if not row.startswith("*About ")).strip("\n")
    # Written twice, because the line itself adds words.
    for _ in range(2):
        cell.source = "\n\n".join(filter(None, [heading, line(notebook), body]))


def _minutes(cells: Iterable[Any]) -> int:
    cells = list(cells)
    words = sum(len(text.split()) for cell in cells for text in _read(cell))
    guesses = sum(1 for cell in cells if cell.cell_type == "code" for _ in _guesses(cell))
    return math.ceil(words / WORDS_A_MINUTE + guesses + 1)


def _guesses(cell: Any) -> Iterator[object]:
    return iter(calls(cell.source, "predict"))


def _read(cell: Any) -> Iterator[str]:
    """Yield the text of a cell: its source and its printed output."""
    yield cell.source
    for output in cell.get("outputs", ()):
        yield output.get("text", "")
        data = output.get("data", {})
        if "image/png" not in data:  # the text beside a picture is an alternative to it
            yield data.get("text/plain", "")
