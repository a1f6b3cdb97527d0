"""The results of `radixlab certify` for the terminal.

This file knows results and `rich`. What a server said is shown as text, without its control
characters.
"""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixlab.certify import Report, Result

STYLES = {"pass": "green", "fail": "bold red", "cannot tell": "yellow"}
MOST_CHARACTERS = 300


def row(result: Result) -> RenderableType:
    """Return the line of one check."""
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(width=11, no_wrap=True)
    table.add_column(width=22, no_wrap=True)
    table.add_column()
    style = STYLES[result.verdict]
    table.add_row(Text(result.verdict, style=style), result.id, printable(result.reason))
    return table


def evidence(result: Result) -> RenderableType:
    """Return all that a check saw."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "request", "saw", "expected"):
        table.add_column(name)
    for each in result.evidence:
        mark = Text("ok", style="green") if each.is_right else Text("wrong", style="bold red")
        table.add_row(mark, *map(printable, (each.request, each.saw, each.expected)))
    head = Text(f"{result.id}: {result.verdict}", style=STYLES[result.verdict])
    spent = f"{result.num_requests} requests, {result.num_tokens:,} tokens"
    rule = Text(f"{result.rule} ({spent})", style="dim")
    return Group(Text(), head, Padding(Group(rule, table), (0, 0, 0, 2)))


def summary(report: Report) -> RenderableType:
    """Return the last line."""
    counts = ", ".join(f"{number} {verdict}" for verdict, number in report.counts.items())
    spent = f"{report.num_requests} requests and {report.num_tokens:,} tokens spent"
    return Text(f"\n{counts}; {spent}; seed {report.seed}")


def printable(text: str) -> Text:
    """Return a server's words, safe and short."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return Text(shown if len(shown) <= MOST_CHARACTERS else shown[: MOST_CHARACTERS - 1] + "…")
