"""Judging a submission in a process of its own: the one way in which notebooks and classes do it.

If a judge dies, hangs, floods or needs too much memory, the remaining items of that exercise of
that learner are not judged. The report says that the grader failed, and the caller goes on. How an
item is checked is in `judge`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from radixlab.grade.items import Exercise
from radixlab.grade.judge_process import JudgeFailed, JudgeProcess, boot_code
from radixlab.grade.report import ExerciseReport, ItemReport, Verdict
from radixlab.grade.submission import Part, Submission

START_S = 20.0
"""For starting the judge and loading the submission."""
PATIENCE = 45
"""A silent judge is waited for this many times its limit: its core may be busy with others.

The judge ends an item itself after 40 times its limit."""

Heard = Callable[[ItemReport], object]


def judge(
    exercise: Exercise,
    submission: Submission,
    seeds: Sequence[int] = (0,),
    heard: Heard | None = None,
    program: str | None = None,
) -> ExerciseReport:
    """Judge a submission; with several seeds, each item counts at its worst.

    A part that is not written yet takes nothing away from the parts before it, and one that cannot
    be loaded nothing from the others: what they earn without it counts.

    Parameters
    ----------
    heard
        Is told of each item as it is done.
    program
        Python source that runs instead of `worker` and speaks as it does.
    """
    if submission.absent:
        return unjudged(exercise, submission, submission.why)
    program = program or boot_code()
    report = _worst([_run(exercise, submission, seed, heard, program) for seed in seeds])
    without, parts, kept = submission.missing, submission.parts, submission.parts
    if number := _first_unwritten(submission, report):
        kept = parts[:number]
        without.append(parts[number].name or parts[number].place)
    elif (broken := _not_loaded(submission, report)) and len(parts) > 1:
        kept = tuple(part for part in parts if part is not broken)
        without.append(broken.name or broken.place)
    if kept is not parts:
        smaller = replace(submission, parts=kept)
        again = _worst([_run(exercise, smaller, seed, None, program) for seed in seeds])
        pairs = zip(report.items, again.items, strict=True)
        report = replace(report, items=tuple(max(pair, key=_share) for pair in pairs))
    return replace(report, used=submission.used, doubts=submission.doubts, without=tuple(without))


def unjudged(exercise: Exercise, submission: Submission, why: str) -> ExerciseReport:
    """Return the report of what was not judged at all."""
    items = _not_run(exercise, why)
    report = ExerciseReport(exercise.id, exercise.title, items, doubts=submission.doubts)
    return replace(report, absent=submission.absent)


def _not_run(exercise: Exercise, why: str, num_done: int = 0) -> tuple[ItemReport, ...]:
    verdict = Verdict("not_run", message=why)
    return tuple(ItemReport(exercise.id, item, verdict) for item in exercise.items[num_done:])


def _worst(runs: Sequence[ExerciseReport]) -> ExerciseReport:
    columns = zip(*(run.items for run in runs), strict=True)
    return replace(runs[0], items=tuple(min(column, key=_share) for column in columns))


def _share(item: ItemReport) -> float:
    return item.verdict.share


def _first_unwritten(submission: Submission, run: ExerciseReport) -> int:
    """Return the index of the first part that raised NotImplementedError; 0 for none after it."""
    labels = [part.label for part in submission.parts]
    stubs = [item.verdict.steps for item in run.items if item.verdict.status == "stub"]
    found = {steps[-1].label for steps in stubs if steps}
    return min((labels.index(label) for label in found if label in labels), default=0)


def _not_loaded(submission: Submission, run: ExerciseReport) -> Part | None:
    """Return the part that raised when it was loaded, and so ended every item alike."""
    first = run.items[0].verdict
    if any(item.verdict != first or item.verdict.status != "failed" for item in run.items):
        return None
    steps = first.steps
    for part in submission.parts:
        if (steps and steps[0] == replace(steps[0], label=part.label, function="<module>")) or (
            not steps and f"({part.label}, line " in first.message
        ):
            return part
    return None


def _run(
    exercise: Exercise, submission: Submission, seed: int, heard: Heard | None, program: str
) -> ExerciseReport:
    """Start a judge and listen to it."""
    parts = [{"name": p.name, "source": p.source, "place": p.place} for p in submission.parts]
    cpu_s = int(sum(START_S + item.limit_s for item in exercise.items))
    asked = {"exercise": exercise.id, "parts": parts, "seed": seed, "cpu_s": cpu_s}
    items, printed = list[ItemReport](), ""
    try:
        with JudgeProcess(program, asked, most_lines=len(exercise.items) + 1) as process:
            for item in exercise.items:
                said = process.hear(PATIENCE * (START_S + item.limit_s))
                items.append(ItemReport(exercise.id, item, _verdict(said, item.id)))
                if heard:
                    heard(items[-1])
            printed = str(process.hear(PATIENCE * START_S).get("printed", ""))
    except (JudgeFailed, OSError) as error:
        items += _not_run(exercise, ours(error), len(items))
    return ExerciseReport(exercise.id, exercise.title, tuple(items), printed=printed)


def ours(error: Exception) -> str:
    """Say that the grader failed, and how."""
    what = str(error) if isinstance(error, JudgeFailed) else f"{type(error).__name__}: {error}"
    return f"The grader failed here, and that is not your fault: {what[:500]}."


def _verdict(said: dict[str, Any], item_id: str) -> Verdict:
    if said.get("item") != item_id:
        raise JudgeFailed(f"it spoke of {str(said.get('item'))[:80]} instead of {item_id}")
    try:
        return Verdict.from_json(said["verdict"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise JudgeFailed(f"its verdict cannot be read: {type(error).__name__}") from None
