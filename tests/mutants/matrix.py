"""A pytest plugin: the matrix of rules and mutants in the summary, where CI shows it.

Rows come as properties of the tests in test_mutants.py, so that they reach it from the workers of
`pytest -n`.
"""

import pytest

TITLE, ROW = "matrix", "mutant"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for many in terminalreporter.stats.values() for report in many]
    found = [pair for report in reports for pair in getattr(report, "user_properties", ())]
    rows = dict.fromkeys(text for key, text in found if key == ROW)
    if not rows:
        return
    terminalreporter.section("broken engines")
    for text in dict.fromkeys(text for key, text in found if key == TITLE):
        terminalreporter.line(text)
    for text in sorted(rows, key=lambda text: (text[0], int(text[1:].split()[0]))):
        terminalreporter.line(text)
