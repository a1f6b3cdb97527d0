"""How long a lesson takes, by one printed rule, on its core path and with everything.

The rule: words ÷ 200 a minute, a minute a guess, a minute to run. Knows notebooks as data.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Any

from radixlab.lesson.calls import calls

WORDS_A_MINUTE = 200
DEEPER = "## Going deeper"
_LINE = (
    "*About {core} minutes on the core path, {all} with everything "
    "(words ÷ 200 a minute, a minute a guess, a minute to run).*"
)


def minutes(notebook: Any) -> tuple[int, int]:
    """Return the minutes of the core path and of the whole notebook, both rounded up."""
    return _minutes(core_cells(notebook)), _minutes(notebook.cells)


def core_cells(notebook: Any) -> list[Any]:
    """Return the cells outside the sections that are called "Going deeper: …".

    Such a section lasts until the next level-2 heading that does not begin so. A cell of prose that
    holds headings of both kinds is counted for the section that it begins in.
    """
    core, deeper = [], False
    for cell in notebook.cells:
        headings = list(_headings(cell))
        if headings and cell.source.lstrip().startswith("## "):
            deeper = headings[0].startswith(DEEPER)
        if not deeper:
            core.append(cell)
        if headings:
            deeper = headings[-1].startswith(DEEPER)
    return core


def line(notebook: Any) -> str:
    """Return the line that stands under the lesson's title."""
    core, everything = minutes(notebook)
    return _LINE.format(core=core, all=everything)


def has_line(notebook: Any) -> bool:
    """Tell whether the title cell holds today's line, as its second paragraph."""
    title = notebook.cells[0].source.split("\n") if notebook.cells else [""]
    text = [row for row in title if row.strip()]
    return len(text) > 1 and text[0].startswith("# ") and text[1] == line(notebook)


def write_line(notebook: Any) -> None:
    """Put today's line under the title; a notebook without a title is left alone."""
    cell = notebook.cells[0] if notebook.cells else None
    if cell is None or cell.cell_type != "markdown" or not cell.source.startswith("# "):
        return
    heading, *rest = cell.source.split("\n")
    body = "\n".join(row for row in rest if not row.startswith("*About ")).strip("\n")
    # Written twice: the line's own words count, and a first line changes how many there are.
    for _ in range(2):
        cell.source = "\n\n".join(filter(None, [heading, line(notebook), body]))


def _minutes(cells: Iterable[Any]) -> int:
    cells = list(cells)
    words = sum(len(text.split()) for cell in cells for text in _read(cell))
    guesses = sum(1 for cell in cells if cell.cell_type == "code" for _ in _guesses(cell))
    return math.ceil(words / WORDS_A_MINUTE + guesses + 1)


def _guesses(cell: Any) -> Iterator[object]:
    return iter(calls(cell.source, "predict"))


def _headings(cell: Any) -> Iterator[str]:
    if cell.cell_type == "markdown":
        yield from (row for row in cell.source.split("\n") if row.startswith("## "))


def _read(cell: Any) -> Iterator[str]:
    """Yield what a reader of the cell reads: its source and what it prints."""
    yield cell.source
    for output in cell.get("outputs", ()):
        yield output.get("text", "")
        data = output.get("data", {})
        if "image/png" not in data:  # the text beside a picture is for those who cannot see it
            yield data.get("text/plain", "")
