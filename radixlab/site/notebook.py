"""A notebook as a page: prose, code, outputs, players. It may be a lesson or an exercise."""

import html
import re
from typing import Any

from radixlab.site.anchors import slug_of_notebook
from radixlab.site.links import Links
from radixlab.site.markdown import Converter, coloured
from radixlab.site.outputs import Outputs
from radixlab.site.page import Page
from radixlab.site.record import Recorded

LESSONS, EXERCISES = "Lessons", "Exercises"
_MINUTES = re.compile(r"^\*About (\d+) minutes", re.MULTILINE)
_QUESTION = re.compile(r"^\*\*(.+)\*\*$", re.MULTILINE)
_POINTS = re.compile(r"\b(\d+) points")


def notebook_page(
    recorded: Recorded, source: str, path: str, group: str, links: Links, rules: dict[str, str]
) -> Page:
    """Draw a notebook of the repository; `rules` are links to rules by their ids."""
    markdown = Converter(links.of(source, path), slug_of_notebook, rules)
    quiet = Converter(links.of(source, path), slug_of_notebook)  # an output is not a section
    stem = path.rsplit("/", 1)[-1].removesuffix(".html")
    outputs = Outputs(path, stem, quiet, recorded.recordings)
    body = "".join(_cell(cell, markdown, outputs) for cell in recorded.notebook.cells)
    first = recorded.notebook.cells[0].source
    title = first.partition("\n")[0].removeprefix("# ")
    return Page(
        path,
        title,
        group,
        body,
        tuple(markdown.headings),
        lead=_lead(first),
        note=_note(first, outputs.num_players),
        files=outputs.files,
    )


def _cell(cell: Any, markdown: Converter, outputs: Outputs) -> str:
    anchor = f'id="cell-id={html.escape(cell.get("id", ""))}"'
    if cell.cell_type == "markdown":
        return f'<section class="prose" {anchor}>\n{markdown(cell.source)}</section>\n'
    shown = "".join(outputs(output, cell.source, cell["id"]) for output in cell.outputs)
    # A player looks for its cell's number where JupyterLab has it, and marks that cell's events.
    count = cell.get("execution_count")
    number = f'<span class="count jp-InputPrompt">[{count}]</span>' if count else ""
    code = coloured(cell.source, "ipython3")
    return f'<section class="cell jp-Cell" {anchor}>\n{number}{code}{shown}</section>\n'


def _lead(first: str) -> str:
    """Return the question of a lesson; the first sentence of an exercise, which asks none."""
    found = _QUESTION.search(first)
    if found:
        return found[1]
    lines = first.split("\n")[1:]
    prose = (line for line in lines if line and not line.startswith(("#", "*", "|")))
    return next(prose, "").partition(". ")[0].rstrip(".") + "."


def _note(first: str, num_players: int) -> str:
    minutes, points = _MINUTES.search(first), _POINTS.search(first)
    notes = [f"{minutes[1]} minutes"] if minutes else [f"{points[1]} points"] if points else []
    if num_players:
        notes.append(f"{num_players} player{'s' if num_players != 1 else ''}")
    return " · ".join(notes)
