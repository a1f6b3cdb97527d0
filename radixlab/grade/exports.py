"""Reports for other programs: CSV, JSON and JUnit over many learners, Gradescope's results.json."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any
from unicodedata import normalize
from xml.etree import ElementTree

from radixlab.grade.box import visible
from radixlab.grade.render import one_line, text
from radixlab.grade.report import ExerciseReport, ItemReport, as_dict, total

Learners = Mapping[str, Sequence[ExerciseReport]]
"""Reports by learner: the same exercises for each, in the same order."""


def as_csv(learners: Learners, seeds: Sequence[int] = (0,)) -> str:
    """Return one line per learner; the columns depend only on the exercises that were asked for.

    An item has no points where the learner's exercise was not judged: `status` says why.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for number, (name, reports) in enumerate(learners.items()):
        row: dict[str, object] = {
            "learner": _plain(name),
            "points": total(reports),
            "max_points": sum(report.max_points for report in reports),
            "seeds": " ".join(map(str, seeds)),
        }
        for report in reports:
            row[f"{report.id} points"] = report.points
            row[f"{report.id} status"] = report.standing
            row[f"{report.id} tries"] = "" if report.tries is None else report.tries
            row |= {i.id: i.points if _is_judged(i) else "" for i in report.items}
        if number == 0:
            writer.writerow(row)
        writer.writerow(row.values())
    return out.getvalue()


def as_json(learners: Learners, seeds: Sequence[int]) -> str:
    """Return a class, or one learner, as `radixlab grade --json` prints it."""
    if len(learners) == 1:
        found = {"seeds": list(seeds)} | as_dict(next(iter(learners.values())))
    else:
        by_name = {name: as_dict(reports) for name, reports in learners.items()}
        found = {"seeds": list(seeds), "learners": by_name, "items": item_figures(learners)}
    return json.dumps(found, indent=1) + "\n"


def item_figures(learners: Learners) -> list[dict[str, Any]]:
    """Return what the class earned for each item, over the learners for whom it was judged."""
    shares: dict[str, list[float]] = {}
    for reports in learners.values():
        for report in reports:
            for item in report.items:
                shares.setdefault(item.id, [])
                if _is_judged(item):
                    shares[item.id].append(item.verdict.share)
    return [
        {
            "id": name,
            "num_judged": len(found),
            "num_passed": sum(share == 1 for share in found),
            "mean_share": round(mean(found), 3) if found else None,
            "median_share": round(median(found), 3) if found else None,
        }
        for name, found in shares.items()
    ]


def as_junit(learners: Learners, seeds: Sequence[int] = (0,)) -> str:
    """Return JUnit XML: a suite per learner and exercise, a case per item.

    What was not handed in is skipped; where the grader failed, that is an error.
    """
    root = ElementTree.Element("testsuites", name="radixlab")
    for name, reports in learners.items():
        for report in reports:
            suite = ElementTree.SubElement(root, "testsuite", name=f"{name} {report.id}")
            properties = ElementTree.SubElement(suite, "properties")
            for key, value in (("seeds", " ".join(map(str, seeds))), ("status", report.standing)):
                ElementTree.SubElement(properties, "property", name=key, value=value)
            kinds = [_add_case(suite, name, report, item) for item in report.items]
            suite.set("tests", str(len(kinds)))
            for kind, key in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
                suite.set(key, str(kinds.count(kind)))
    ElementTree.indent(root)
    found = ElementTree.tostring(root, encoding="unicode", xml_declaration=True)
    return visible(found) + "\n"


def _add_case(
    suite: ElementTree.Element, name: str, report: ExerciseReport, item: ItemReport
) -> str:
    """Add one item; return its result in JUnit's words, or nothing if it passed."""
    where = f"{name}.{report.id}"
    case = ElementTree.SubElement(suite, "testcase", classname=where, name=item.item.id)
    if item.verdict.status == "passed":
        return ""
    kind = {"not handed in": "skipped", "grader failed": "error"}.get(report.standing, "failure")
    if kind == "error" and item.verdict.status != "not_run":
        kind = "failure"
    message = item.verdict.message or item.item.rule
    status = report.absent or item.verdict.status
    ElementTree.SubElement(case, kind, type=status, message=visible(message))
    return kind


def as_gradescope(reports: Sequence[ExerciseReport], seeds: Sequence[int] = (0,)) -> str:
    """Return the results.json of one learner; only the course's staff see the seeds."""
    tests = [
        {
            "number": item.id,
            "name": item.item.rule,
            "score": item.points,
            "max_score": item.item.points,
            "status": "passed" if item.verdict.status == "passed" else "failed",
            "output": visible(item.verdict.message),
        }
        for report in reports
        for item in report.items
    ]
    output = "\n\n".join(text(report) for report in reports)
    found = {"score": total(reports), "output": output, "tests": tests}
    return json.dumps(found | {"extra_data": {"seeds": list(seeds)}}, indent=1) + "\n"


def _is_judged(item: ItemReport) -> bool:
    return item.verdict.status != "not_run"


def _plain(name: str) -> str:
    """Keep a spreadsheet from running a folder's name as a formula."""
    name = one_line(name)
    return f"'{name}" if normalize("NFKC", name.lstrip())[:1] in tuple("=+-@") else name
