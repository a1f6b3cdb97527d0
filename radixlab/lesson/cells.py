"""The cells of a notebook as data: which belong to the core path, and where a section begins.

This file runs nothing, and does not know what lessons are about.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEEPER = "## Going deeper"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as its notebook has it."""

    id: str
    cell_type: str
    source: str
    outputs: tuple[dict[str, Any], ...] = ()

    def printed(self) -> str:
        """Return what the cell has printed."""
        return "".join("".join(output.get("text", "")) for output in self.outputs)


def cells_of(path: Path) -> list[Cell]:
    """Read the cells of a notebook."""
    found = json.loads(path.read_text(encoding="utf-8")).get("cells", ())
    return [
        Cell(
            cell.get("id", ""),
            cell["cell_type"],
            "".join(cell["source"]),
            tuple(cell.get("outputs", ())),
        )
        for cell in found
    ]


def core_cells(cells: Iterable[Any]) -> list[Any]:
    """Return the cells outside the sections that are called "Going deeper: …".

    Such a section ends at the next level-2 heading that begins differently. A prose cell with
    headings of both kinds counts for the section in which it begins.
    """
    core, deeper = [], False
    for cell in cells:
        titles = list(headings(cell))
        if titles and cell.source.lstrip().startswith("## "):
            deeper = titles[0].startswith(DEEPER)
        if not deeper:
            core.append(cell)
        if titles:
            deeper = titles[-1].startswith(DEEPER)
    return core


def headings(cell: Any) -> Iterator[str]:
    """Yield the lines of a cell that begin a section."""
    if cell.cell_type == "markdown":
        yield from (row for row in cell.source.split("\n") if row.startswith("## "))
