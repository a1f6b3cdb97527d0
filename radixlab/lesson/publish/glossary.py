"""The glossary: each term of the course, its meaning, and the cell that introduces it.

The terms stand in docs/glossary.toml. `python -m radixlab.lesson.publish.glossary` writes them as a
page, docs/glossary.md. This file knows notebooks as data and runs none.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import radixlab
from radixlab.files import replace_text

ROOT = Path(radixlab.__file__).resolve().parent.parent
SOURCE = ROOT / "docs" / "glossary.toml"
PAGE = ROOT / "docs" / "glossary.md"
HEAD = """# Glossary

The words of the course, each with the names that other engines and papers have for it.
The link leads to the cell of a lesson that introduces the word; it stands there in bold.
This page is made from `glossary.toml`, by `python -m radixlab.lesson.publish.glossary`.

"""


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the course."""

    name: str
    text: str
    """What it means, in one or two sentences."""
    lesson: str
    """The lesson that introduces it: its file without `.ipynb`."""
    cell: str
    """The id of the cell in which it stands in bold."""
    also: tuple[str, ...] = ()
    """Other names of the same thing."""
    bold: str = ""
    """How it stands in that cell, if not as `name`."""

    @property
    def key(self) -> str:
        """What terms are sorted by."""
        return self.name.strip("`").casefold()

    @property
    def written(self) -> str:
        """The words that stand in bold in the cell."""
        return self.bold or self.name


def terms(source: Path = SOURCE) -> list[Term]:
    """Read the terms, in the order of the alphabet."""
    entries = tomllib.loads(source.read_text(encoding="utf-8"))["term"]
    found = [Term(**entry | {"also": tuple(entry.get("also", ()))}) for entry in entries]
    return sorted(found, key=lambda term: term.key)


def page(found: Iterable[Term], root: Path = ROOT) -> str:
    """Return the glossary as Markdown, one line a term."""
    lines = (f"- **{term.name}**{_also(term)}: {term.text} {_link(term, root)}" for term in found)
    return HEAD + "\n".join(lines) + "\n"


def _also(term: Term) -> str:
    return f" (also: {', '.join(term.also)})" if term.also else ""


def _link(term: Term, root: Path) -> str:
    cells = cells_of(root / "notebooks" / f"{term.lesson}.ipynb")
    title, *sections = _headings_before(term, cells)
    shown = f"{title}: {sections[-1]}" if sections else title
    return f"([{shown}](../notebooks/{term.lesson}.ipynb#cell-id={term.cell}))"


def cells_of(notebook: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook as JSON has them."""
    cells: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return cells


def _headings_before(term: Term, cells: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the title and the headings of sections, up to the one in which the term stands."""
    for cell in cells:
        source = "".join(cell["source"]) if cell["cell_type"] == "markdown" else ""
        is_last = cell["id"] == term.cell
        before = source.partition(f"**{term.written}**")[0] if is_last else source
        for line in before.split("\n"):
            if line.startswith(("# ", "## ", "### ")):
                yield line.lstrip("# ").replace("*", "").strip()
        if is_last:
            return


@click.command()
def main() -> None:
    """Write docs/glossary.md."""
    replace_text(PAGE, page(terms()))


if __name__ == "__main__":
    main()
