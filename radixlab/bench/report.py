"""How a benchmark is shown: aligned in a terminal, or as a section of a Markdown file.

It knows rows of text. It measures nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from radixlab.bench.measure import Spread, machine
from radixlab.columns import aligned
from radixlab.escape import count as count


class Report(Protocol):
    """What one run of a benchmark found, in the three formats."""

    def text(self) -> str:
        """Format for a terminal."""

    def markdown(self) -> str:
        """Format as a section for benchmarks/RESULTS.md."""

    def as_json(self) -> dict[str, object]:
        """Return what `--json` prints."""


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align columns for a terminal: the first to the left, the others to the right.

    A column's name may have several lines; the last one stands on the rule.

    >>> print(text_table(["policy", "hits"], [["lru", "12"], ["naive", "0"]]))
    policy  hits
    ------  ----
    lru       12
    naive      0
    """
    names = [name.split("\n") for name in header]
    height = max(map(len, names))
    stacked = [[""] * (height - len(name)) + name for name in names]
    above = [list(line) for line in zip(*stacked, strict=True)]
    widths = [max(map(len, column)) for column in zip(*above, *rows, strict=True)]
    return "\n".join(aligned([*above, ["-" * width for width in widths], *rows]))


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a Markdown table, all but the first column to the right.

    >>> print(markdown_table(["policy", "hits"], [["lru", "12"]]))
    | policy | hits |
    |---|---:|
    | lru | 12 |
    """
    rule = "|---|" + "---:|" * (len(header) - 1)
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, *rows)]
    return "\n".join([lines[0], rule, *lines[1:]])


def write_section(path: Path, name: str, body: str) -> None:
    """Put `body` between the markers of section `name`; the rest of the file stays as it is.

    A file without these markers, or no file, gets the section at its end. Raises `OSError`.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    section = f"{begin}\n{body.strip()}\n{end}"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    appended = f"{text.rstrip()}\n\n{section}\n".lstrip()
    has_section = found and closed
    path.write_text(before + section + after if has_section else appended, encoding="utf-8")


def triple(figure: Spread) -> list[float]:
    """Return a spread as it stands in JSON: `[median, low, high]`."""
    return [round(value, 4) for value in (figure.median, figure.low, figure.high)]


def machine_line() -> str:
    """Say on what and when, in a line."""
    facts = machine()
    return (
        f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}, Python {facts['python']}, "
        f"NumPy {facts['numpy']}, cache {facts['cache']}, {facts['date']}"
    )
