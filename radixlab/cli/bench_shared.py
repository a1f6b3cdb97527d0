"""What all commands of `radixlab bench` have in common: how a report is asked for and shown."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from radixlab.bench.report import Report, write_section
from radixlab.cli.shared import OUTPUT_FILE

JSON_TABLES = click.option(
    "--json", "is_json", is_flag=True, help="Print one JSON object instead of tables."
)
WRITE_RESULTS = click.option(
    "--write",
    "results",
    type=OUTPUT_FILE,
    help="Also write them to a section of this Markdown file.",
)


class NotRunnable(click.ClickException):
    """A benchmark needs what this machine has not."""


def show(section: str, report: Report, is_json: bool, results: Path | None) -> None:
    """Print a report, and write it to its section of a file if one is named."""
    if results:
        write_section(results, section, report.markdown())
    click.echo(json.dumps(report.as_json()) if is_json else report.text())


def given(**options: float | bool | str | None) -> Iterator[str]:
    """Yield the options that were given, as they are typed."""
    for option, value in options.items():
        name = option.replace("_", "-")
        if value is not None:
            yield f"--{name}" if value is True else f"--{name} {value}"
