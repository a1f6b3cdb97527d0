"""A report for people: text for a terminal, a page for a notebook.

Everything that the learner wrote or caused is escaped: characters that steer a terminal are
spelt out. `viz` draws the pictures of trees.
"""

import base64
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from radixlab.grade.box import visible
from radixlab.grade.items import Status
from radixlab.grade.report import ExerciseReport, ItemReport, Verdict
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
STUB = "There is nothing to grade yet, so there are no points yet."
_MAX_PRINTED = 2_000


def text(report: ExerciseReport) -> str:
    """Return the report as lines; it says the same on every machine."""
    lines = [f"{report.id} {report.title}: {headline(report)}", *report.doubts]
    if report.is_stub or report.absent:
        lines += _each_once(report) if report.is_stub else []
    elif not report.max_points:
        lines += [f"{MARKS[i.verdict.status]} {_first(i)}" for i in report.items]
    elif cause := _one_cause(report):
        lines.append(f"{MARKS[cause.status]} {_detail(report.items[0])}")
    else:
        lines += [*_rows(report), *_details(report)]
    return visible("\n".join(lines))


def _rows(report: ExerciseReport) -> Iterator[str]:
    width = max(len(item.item.id) for item in report.items)
    for item in report.items:
        mark, points = MARKS[item.verdict.status], f"{item.points:g}/{item.item.points}"
        yield f"{mark} {item.item.id:{width}}  {points:>6}  {_first(item)}".rstrip()


def _details(report: ExerciseReport) -> Iterator[str]:
    said: set[str] = set()
    for item in report.items:
        detail = _detail(item)
        if detail and detail not in said:  # one cause may cost several items
            said.add(detail)
            yield from ("", f"{item.id}: {item.item.rule}", _indent(detail))


def one_line(text: str) -> str:
    r"""Show what may be hostile in one line.

    >>> one_line("\x1b[2J\n")
    '\\x1b[2J\\n'
    """
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def page(report: ExerciseReport) -> str:
    """Return the report as HTML for a notebook."""
    template: str = _template().render(
        report=report,
        headline=headline(report),
        without=_without(report),
        cause=_one_cause(report),
        stub=STUB if report.is_stub and report.max_points else "",
        marks=MARKS,
        first=_first,
        picture=_picture,
        printed=report.printed[:_MAX_PRINTED],
    )
    return visible(template)


def headline(report: ExerciseReport) -> str:
    """Say it in one line; without points it is a try, not an exercise."""
    if not report.max_points:
        return "done" if report.passed else "not yet"
    if report.absent:
        why = report.items[0].verdict.message
        return f"{report.absent}: {why}" if why else report.absent
    points = f"{report.points:g} of {report.max_points} points"
    if report.is_stub:
        return f"{points}. {STUB}"
    if report.standing == "grader failed":
        return f"{points}, and the grader failed"
    return points + _without(report)


def _without(report: ExerciseReport) -> str:
    """Say which parts the points are without; a stub has its own, kinder message."""
    if not report.without or report.is_stub:
        return ""
    noun = "part" if len(report.without) == 1 else "parts"
    return f", without the {noun} {_listed(report.without)}"


def _listed(names: Sequence[str]) -> str:
    """Join names as a sentence does.

    >>> _listed(["order", "uses", "plan"])
    'order, uses and plan'
    """
    return " and ".join([", ".join(names[:-1])] * (len(names) > 1) + [*names[-1:]])


def _one_cause(report: ExerciseReport) -> Verdict | None:
    """Return the one fault of all items, such as a syntax error, which is shown once."""
    if report.is_stub or report.absent or not report.max_points:
        return None
    found = {_detail(item) for item in report.items}
    return report.items[0].verdict if len(found) == 1 and found != {""} else None


def _each_once(report: ExerciseReport) -> list[str]:
    return list(dict.fromkeys(f"○ {item.verdict.message}" for item in report.items))


def _first(item: ItemReport) -> str:
    """Return the text of an item's row: its message's first line, or what a check measured."""
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
