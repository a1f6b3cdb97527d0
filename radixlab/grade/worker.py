"""`python -m radixlab.grade.worker`: the judge in a process of its own, for notebooks.

The kernel stays out of it: it can be interrupted, and no check touches the learner's variables.
Reads one JSON object from stdin, writes one JSON object per line to stdout: `{"item", "status"}` as
each item is done, and at last `{"text", "html", "report"}`.
"""

import json
import signal
import sys
from typing import Any

from radixlab.grade.judge import grade
from radixlab.grade.progress import Progress
from radixlab.grade.registry import EXERCISES
from radixlab.grade.render import page, text
from radixlab.grade.report import ItemReport
from radixlab.grade.submission import Part, Submission


def main() -> None:
    """Grade what stdin holds."""
    signal.signal(signal.SIGTERM, _stop)
    asked = json.load(sys.stdin)
    exercise = EXERCISES[asked["exercise"]]
    parts = tuple(Part(exercise.id, **part) for part in asked["parts"])
    report = grade(exercise, Submission(exercise.id, parts), progress=_tell)
    Progress().save(report)
    html = page(report) if asked["html"] else ""
    _say({"text": text(report), "html": html, "report": report.as_dict()})


def _tell(item: ItemReport) -> None:
    _say({"item": item.item.id, "status": item.verdict.status})


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt  # the judge ends its box on the way out


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
