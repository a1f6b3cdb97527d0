"""A benchmark whose result is a table, or a few: the three formats of its report."""

from collections.abc import Sequence
from dataclasses import dataclass

from radixlab.bench.measure import Spread, machine
from radixlab.bench.report import machine_line, markdown_table, text_table, triple


@dataclass(frozen=True, slots=True)
class Shown:
    """A number that its table shows in a form of its own, such as a share in per cent."""

    value: float
    pattern: str
    """As in `format(0.5, ".0%")`."""

    def __str__(self) -> str:
        return format(self.value, self.pattern)


Cell = str | int | float | Spread | Shown
"""Empty text stands for a missing figure: `null` in JSON."""


@dataclass(frozen=True, slots=True)
class TableReport:
    """What was measured, and a row for each case."""

    title: str
    command: str
    what: str
    """How to read it, in a few sentences."""
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    more: Sequence["TableReport"] = ()
    """Further tables of the same command."""
    picture: str = ""
    """What shows the rows in Markdown, below the first table."""

    def text(self) -> str:
        """Format for a terminal."""
        own = f"{self.what}\n\n{text_table(self.header, self._cells())}"
        return "\n\n".join([own, *(table.text() for table in self.more)])

    def markdown(self) -> str:
        """Format as a section for benchmarks/RESULTS.md."""
        head = f"## {self.title}\n\n`{self.command}` on {machine_line()}."
        own, *others = (table._markdown_part() for table in (self, *self.more))
        return "\n\n".join(filter(None, (head, own, self.picture, *others)))

    def as_json(self) -> dict[str, object]:
        """Return what `--json` prints: figures as numbers, spreads as `[median, low, high]`."""
        first = {"machine": machine(), "command": self.command, "rows": self._json_rows()}
        return {**first, **{table.title: table._json_rows() for table in self.more}}

    def _markdown_part(self) -> str:
        return f"{self.what}\n\n{markdown_table(self.header, self._cells())}"

    def _json_rows(self) -> list[dict[str, object]]:
        return [dict(zip(self.header, map(_plain, row), strict=True)) for row in self.rows]

    def _cells(self) -> list[list[str]]:
        return [[_text(cell) for cell in row] for row in self.rows]


def _text(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _plain(cell: Cell) -> object:
    if isinstance(cell, Spread):
        return triple(cell)
    return cell.value if isinstance(cell, Shown) else None if cell == "" else cell
