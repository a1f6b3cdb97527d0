"""A pytest plugin: what was caught by what, in the summary, where CI shows it.

Rows come as properties of the tests, so that they reach it from the workers of `pytest -n`.
"""

import re

import pytest

TITLE, ROW, ZOO = "matrix", "mutant", "wrong solution"
SECTIONS = {ROW: "broken engines", ZOO: "wrong solutions, and the items they lose"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for many in terminalreporter.stats.values() for report in many]
    found = [pair for report in reports for pair in getattr(report, "user_properties", ())]
    for row, section in SECTIONS.items():
        lines = {text for key, text in found if key == row}
        if not lines:
            continue
        terminalreporter.section(section)
        if row == ROW:
            for text in dict.fromkeys(text for key, text in found if key == TITLE):
                terminalreporter.line(text)
        for text in sorted(lines, key=numbers_by_value):
            terminalreporter.line(text)


def numbers_by_value(text: str) -> list[str | int]:
    """As a key to sort by, it puts M9 before M10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", text)]
