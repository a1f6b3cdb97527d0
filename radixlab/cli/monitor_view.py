"""A monitor's report for the terminal: figures with their meaning, then the diagnosis.

This file knows reports and `rich`. It does not know servers or time.
"""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixlab.observe.monitor import Diagnosis, Report
from radixlab.observe.monitor.words import headline, misses, rows

GOOD, BAD, SOFT = "bold green", "bold red", "dim"


def screen(report: Report, problem: str = "") -> RenderableType:
    """Return one screen; `problem` says why the figures are not fresh."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="left", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style=SOFT)
    for row in rows(report.figures):
        table.add_row(*row)
    head = Text(report.engine.title, style="bold").append(f"  {headline(report)}", style=SOFT)
    parts: list[RenderableType] = [head]
    parts += [Text(problem, style=BAD)] if problem else []
    parts += [Text(), table, Text(misses(report.figures), style=SOFT), Text()]
    for diagnosis in report.diagnoses:
        parts += _told(diagnosis)
    parts += [Text(f"note: {note}", style=SOFT) for note in report.notes]
    return Group(*parts)


def _told(diagnosis: Diagnosis) -> list[RenderableType]:
    style = GOOD if diagnosis.name == "healthy" else BAD
    evidence = [Text(f"– {sentence}") for sentence in diagnosis.evidence]
    advice = [Text(diagnosis.advice, style="italic")] if diagnosis.advice else []
    return [Text(diagnosis.title, style=style), Padding(Group(*evidence, *advice), (0, 0, 0, 2))]
