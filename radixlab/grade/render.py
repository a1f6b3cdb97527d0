"""A report for people: text for a terminal, a page for a notebook.

Everything that the learner wrote or caused is escaped. Pictures of trees are the visualizer's.
"""

import base64
from functools import cache
from pathlib import Path
from typing import Any

from radixlab.grade.items import Status
from radixlab.grade.report import ExerciseReport, ItemReport
from radixlab.observe.state import State

MARKS: dict[Status, str] = {
    "passed": "✓",
    "partial": "◐",
    "failed": "✗",
    "stub": "○",
    "timeout": "⧗",
    "crashed": "✗",
    "not_run": "–",
}
STUB = "Nothing is written yet, so there are no points yet. Start with the first item."
_MAX_PRINTED = 2_000


def text(report: ExerciseReport) -> str:
    """Return the report as lines; it says the same on every machine."""
    lines = [f"{report.id} {report.title}: {headline(report)}"]
    if report.is_stub:
        return "\n".join([*lines, *_each_once(report)])
    if not report.max_points:
        return "\n".join(
            [*lines, *(f"{MARKS[i.verdict.status]} {_first(i)}" for i in report.items)]
        )
    width = max(len(item.item.id) for item in report.items)
    for item in report.items:
        mark, points = MARKS[item.verdict.status], f"{item.points:g}/{item.item.points}"
        lines.append(f"{mark} {item.item.id:{width}}  {points:>6}  {_first(item)}".rstrip())
    said: set[str] = set()
    for item in report.items:
        detail = _detail(item)
        if detail and detail not in said:  # one cause may cost several items
            said.add(detail)
            lines += ["", f"{item.id}: {item.item.rule}", _indent(detail)]
    return "\n".join(lines)


def page(report: ExerciseReport) -> str:
    """Return the report as HTML for a notebook."""
    template: str = _template().render(
        report=report,
        headline=headline(report),
        stub=STUB if report.is_stub and report.max_points else "",
        marks=MARKS,
        first=_first,
        picture=_picture,
        printed=report.printed[:_MAX_PRINTED],
    )
    return template


def headline(report: ExerciseReport) -> str:
    """Say it in one line; without points it is a try, not an exercise."""
    if not report.max_points:
        return "done" if report.passed else "not yet"
    points = f"{report.points:g} of {report.max_points} points"
    return f"{points}. {STUB}" if report.is_stub else points


def _each_once(report: ExerciseReport) -> list[str]:
    return list(dict.fromkeys(f"○ {item.verdict.message}" for item in report.items))


def _first(item: ItemReport) -> str:
    """Return what stands in an item's row: its message's first line, or what a check measured."""
    if item.verdict.status in ("passed", "partial"):
        return " ".join(item.verdict.notes)
    return item.verdict.message.splitlines()[0] if item.verdict.message else ""


def _detail(item: ItemReport) -> str:
    verdict = item.verdict
    if verdict.status in ("passed", "stub"):
        return ""
    parts = [verdict.message]
    parts += [
        f"{step.label} line {step.line}, in {step.function}: {step.code}" for step in verdict.steps
    ]
    if verdict.scenario:
        parts += ["To see it:", _indent(verdict.scenario)]
    for name, value in (("expected", verdict.expected), ("actual", verdict.actual)):
        if value is not None:
            parts += [f"{name}:", _indent(value if isinstance(value, str) else _tree(value))]
    return "\n".join(part for part in parts if part)


def _tree(state: State) -> str:
    from radixlab.viz.text import summary

    _, *nodes = summary(state).splitlines()  # the first line is about a pool, which a tree has not
    return "\n".join(line.removeprefix("  ") for line in nodes) or "an empty tree"


def _indent(block: str) -> str:
    return "\n".join(f"    {line}" for line in block.splitlines())


def _picture(value: State | str | None) -> tuple[str, int] | None:
    """Return a tree's picture for an `img`, and its width; None where there is only text."""
    if not isinstance(value, State):
        return None
    from radixlab.viz.still import tree_still  # drawing is slow to import

    png, width = tree_still(value)
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii"), width


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    source = Path(__file__).with_name("report.html.jinja").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
        source
    )
