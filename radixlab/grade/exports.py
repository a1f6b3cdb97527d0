"""Reports for other programs: CSV over many learners, JUnit, and Gradescope's results.json."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from radixlab.grade.render import text
from radixlab.grade.report import ExerciseReport

Learners = Mapping[str, Sequence[ExerciseReport]]
"""Reports by learner."""


def as_csv(learners: Learners) -> str:
    """Return one line per learner: name, points, and a column for every item."""
    columns = {
        item.id: item.item.points
        for reports in learners.values()
        for r in reports
        for item in r.items
    }
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["learner", "points", "max_points", *columns])
    for name, reports in learners.items():
        points = {item.id: item.points for report in reports for item in report.items}
        total = round(sum(points.values()), 2)
        row = [points.get(column, "") for column in columns]
        writer.writerow([_plain(name), f"{total:g}", sum(columns.values()), *row])
    return out.getvalue()


def as_junit(learners: Learners) -> str:
    """Return JUnit XML: a suite per learner and exercise, a case per item."""
    root = ElementTree.Element("testsuites", name="radixlab")
    for name, reports in learners.items():
        for report in reports:
            failed = sum(item.verdict.status != "passed" for item in report.items)
            suite = ElementTree.SubElement(
                root,
                "testsuite",
                name=f"{name} {report.id}",
                tests=str(len(report.items)),
                failures=str(failed),
            )
            for item in report.items:
                case = ElementTree.SubElement(
                    suite, "testcase", classname=f"{name}.{report.id}", name=item.item.id
                )
                if item.verdict.status != "passed":
                    message = _printable(item.verdict.message or item.item.rule)
                    ElementTree.SubElement(
                        case, "failure", type=item.verdict.status, message=message
                    )
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def as_gradescope(reports: Sequence[ExerciseReport]) -> str:
    """Return the results.json of one learner."""
    tests = [
        {
            "number": item.id,
            "name": item.item.rule,
            "score": item.points,
            "max_score": item.item.points,
            "status": "passed" if item.verdict.status == "passed" else "failed",
            "output": item.verdict.message,
        }
        for report in reports
        for item in report.items
    ]
    score = round(sum(report.points for report in reports), 2)
    output = "\n\n".join(text(report) for report in reports)
    return json.dumps({"score": score, "output": output, "tests": tests}, indent=1) + "\n"


def _plain(name: str) -> str:
    """Keep a spreadsheet from running a folder's name as a formula."""
    return f"'{name}" if name[:1] in "=+-@" else name


def _printable(message: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(c for c in message if c.isprintable() or c in "\n\t")
