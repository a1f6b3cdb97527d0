"""Running the checks of an exercise on a submission, each within its limits.

It fails closed: points are given only for a check that came to its end. What the learner's code
does to its own process costs the item that runs, and no other. Any exception of a check except
`Failed` and the learner's own is a fault of the grader: the report says so, and grading goes on.
"""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from radixlab.grade.box import (
    Box,
    BoxClosed,
    BoxEnded,
    BoxError,
    BoxTimeout,
    LearnerError,
    visible,
)
from radixlab.grade.box.inside import MAX_PRINTED
from radixlab.grade.items import CannotCheck, Exercise, Failed, Item, Trial
from radixlab.grade.report import ExerciseReport, ItemReport, Step, Verdict
from radixlab.grade.submission import Submission

LOAD_LIMIT_S = 10.0
"""For running the cells themselves, before the first check."""
LEAST_SHARE = 0.25
"""Of an item's limit. Each time-out halves the limits that follow: one loop may slow all items."""
_MAX_TEXT = 300
MAX_STEPS = 8
"""Lines that are shown of the way into a time-out; an endless recursion has more."""

_SYNTAX_AT = re.compile(r"\((<[^<>]+>), line (\d{1,6})\)$")
_WORDS = (
    "cat|cd|conda|cp|load_ext|ls|matplotlib|mkdir|mv|pip|prun|pwd|reload_ext|rm|run|time|timeit"
)
_MAGIC = re.compile(rf"[%!?]|[\w.,\[\] ]+=\s*[%!]|.*\?$|(?:{_WORDS})\s+[^=\s]")
"""`%time f()`, `!ls`, `x = !ls`, `f?`, and magics that a notebook takes without their `%`."""

Progress = Callable[[ItemReport], object]


def grade(
    exercise: Exercise,
    submission: Submission,
    seed: int = 0,
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> ExerciseReport:
    """Check every item, or those named in `only`; `progress` hears of each as it is done."""
    judge = _Judge(exercise, submission, seed)
    reports = []
    try:
        for item in exercise.items:
            if only is None or item.id in only:
                report = ItemReport(exercise.id, item, judge.verdict(item))
                reports.append(report)
                if progress:
                    progress(report)
    finally:
        judge.close()
    return ExerciseReport(
        exercise.id, exercise.title, tuple(reports), submission.used, judge.printed
    )


class _Judge:
    def __init__(self, exercise: Exercise, submission: Submission, seed: int) -> None:
        self._exercise, self._submission, self._seed = exercise, submission, seed
        self._labels = [part.label for part in submission.parts]
        self._box: Box | None = None
        self._unloadable: Verdict | None = None
        self._names: Collection[str] = ()
        self._memory: dict[object, object] = {}
        self._judged: dict[str, Verdict] = {}
        self.printed = ""
        self._said = 0

    def verdict(self, item: Item) -> Verdict:
        """Check one item, in the box of the last one if all went well there."""
        self._judged[item.id] = verdict = self._verdict(item)
        return verdict

    def _verdict(self, item: Item) -> Verdict:
        if self._submission.is_empty:
            return Verdict("stub", message="Nothing is written here yet.")
        if self._box is None and self._unloadable is None:
            self._unloadable = self._load()
        if self._unloadable is not None:
            return self._unloadable
        missing = [name for name in item.needs if name not in self._names]
        if missing:
            return Verdict("stub", message=f"`{missing[0]}` is not defined yet.{self._absent()}")
        ground = [self._judged[id] for id in item.rests_on if id in self._judged]
        if ground and all(verdict.share == 0 for verdict in ground):
            for verdict in ground:
                if verdict.status == "not_run" or all(v.status == "stub" for v in ground):
                    return verdict
            names = ", ".join(item.rests_on)
            return Verdict("failed", message=f"First earn points for one of these: {names}.")
        num_late = sum(verdict.status == "timeout" for verdict in self._judged.values())
        limit_s = item.limit_s * max(LEAST_SHARE, 0.5**num_late)
        verdict = self._guarded(limit_s, lambda box: self._check(box, item)) or Verdict("failed")
        if self._box is not None and (
            self._box.is_spent() or (verdict.share == 0 and verdict.status != "stub")
        ):
            self.close()  # it may have broken more than itself: the next item gets a new box
        return verdict

    def close(self) -> None:
        """End the box, keeping what was printed."""
        if self._box:
            self.printed = (self.printed + self._box.printed[self._said :])[:MAX_PRINTED]
            self._box.close()
            self._box = None

    def _load(self) -> Verdict | None:
        """Run the cells in a new box; None if all is well."""
        try:
            self._box = Box(self._labels)
        except Exception as error:
            return _ours(error)

        def load(box: Box) -> None:
            self._run_cells(box)
            names = box.submission.names()
            self._names = names if type(names) is list else ()
            self._said = len(box.printed) if self.printed else 0  # the cells say it again

        return self._guarded(LOAD_LIMIT_S, load)

    def _run_cells(self, box: Box) -> None:
        for part in self._submission.parts:
            box.submission.load(part.label, "\n" + part.source)

    @contextmanager
    def _fresh(self, limit_s: float, text: str | None) -> Iterator[Trial]:
        """Load the submission, or a text of ours, in another box: `str` hashes differ there."""
        with Box(self._labels) as box, box.within(limit_s):
            if text is None:
                self._run_cells(box)
            else:
                box.submission.load("<radixlab>", text)
            learner, caller = box.submission.learner, box.submission.call
            yield Trial(learner, self._seed, caller=caller, usage=box.usage)

    def _check(self, box: Box, item: Item) -> Verdict:
        learner, caller = box.submission.learner, box.submission.call
        trial = Trial(
            learner,
            self._seed,
            caller=caller,
            usage=box.usage,
            fresh=lambda text=None: self._fresh(item.limit_s, text),
            memory=self._memory,
        )
        share = item.check(trial)
        share = 1.0 if share is None else min(1.0, max(0.0, float(share)))
        status = "passed" if share == 1 else "partial" if share > 0 else "failed"
        return Verdict(status, share, notes=tuple(trial.notes))  # type: ignore[arg-type]

    def _guarded(self, limit_s: float, run: Callable[[Box], Verdict | None]) -> Verdict | None:
        """Run something that talks to the box; whatever happens there becomes a verdict."""
        assert self._box is not None
        try:
            with self._box.within(limit_s):
                return run(self._box)
        except Failed as error:
            return Verdict(
                "failed",
                message=str(error),
                scenario=error.scenario,
                expected=error.expected,
                actual=error.actual,
            )
        except CannotCheck as error:
            return Verdict("not_run", message=str(error))
        except LearnerError as error:
            return self._raised(error)
        except BoxTimeout as error:
            self.close()
            return self._too_long(error)
        except BoxEnded as error:
            self.close()
            return Verdict("crashed", message=f"Your code {error}.")
        except BoxClosed:
            ending = self._box.ending()
            self.close()
            return Verdict("crashed", message=f"Your code ended its own process ({ending}).")
        except Exception as error:
            self.close()  # who knows how far the conversation had come
            return _ours(error)

    def _raised(self, error: LearnerError) -> Verdict:
        steps = tuple(self._step(*step) for step in error.trace if step[0] in self._labels)
        if error.name == "NotImplementedError":
            where = f"`{steps[-1].function}`" if steps else "A part of it"
            return Verdict("stub", message=f"{where} is not written yet.", steps=steps)
        if error.name == "WireError":
            message = f"Your code returned what the grader cannot take: {error.text}."
            return Verdict("failed", message=message, steps=steps)
        if error.name == "SystemExit":
            return Verdict("crashed", message="Your code called sys.exit.", steps=steps)
        if error.name == "ModuleNotFoundError" and "radixlab" in error.text:
            allowed = ", ".join(self._exercise.allowed)
            message = f"A submission may import the standard library, NumPy and {allowed}"
            return Verdict("failed", message=f"{message}: {error.text}.", steps=steps)
        if magic := self._magic_at(error):
            return Verdict("failed", message=magic)
        hint = self._absent() if error.name == "NameError" else ""
        return Verdict(
            "failed", message=f"Your code raised {error}{hint and '.'}{hint}", steps=steps
        )

    def _absent(self) -> str:
        """Say which parts of the exercise are not here; nothing if all are."""
        cells = [f"`%%exercise {self._exercise.id} {name}`" for name in self._submission.missing]
        return f" No cell begins with {' or '.join(cells)}." if cells else ""

    def _magic_at(self, error: LearnerError) -> str:
        """Say which line only a notebook understands, so that Python refuses it; "" if none."""
        is_syntax = error.name in ("SyntaxError", "IndentationError")
        at = _SYNTAX_AT.search(error.text) if is_syntax else None
        line = self._submission.line(at[1], int(at[2]))[:80] if at else ""
        if at is None or not _MAGIC.match(line):
            return ""
        return (
            f"Line {at[2]} of {at[1]} is `{visible(line)}`. Magics and shell lines are not Python, "
            f"so they cannot be graded: use them in another cell."
        )

    def _too_long(self, error: BoxTimeout) -> Verdict:
        message = f"Not done after {error.limit_s:g} s."
        found = error.places[-MAX_STEPS:]
        steps = [self._step(place.label, place.line, place.function) for place in found]
        if steps:
            last = steps[-1]
            message += f" Your code was in line {last.line} of {last.label}: `{last.code}`"
        return Verdict("timeout", message=message, steps=tuple(steps))

    def _step(self, label: str, line: int, function: str) -> Step:
        return Step(label, line, function, visible(self._submission.line(label, line)))


def _ours(error: Exception) -> Verdict:
    text = visible(" ".join(str(error)[:_MAX_TEXT].split()))
    what = text if isinstance(error, BoxError) else f"{type(error).__name__}: {text}"
    message = f"The grader failed here, and that is not your fault: {what}."
    return Verdict("not_run", message=message)
