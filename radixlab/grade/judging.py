"""Judging a submission in a process of its own: the one way in which notebooks and classes do it.

A judge that dies, hangs, floods or needs too much memory costs that exercise of that learner its
remaining items, and is said to be the grader's fault; the caller goes on. Knows processes and
lines; what a check asks is the part of `judge`.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import radixlab
from radixlab.grade.items import Exercise
from radixlab.grade.report import ExerciseReport, ItemReport, Verdict
from radixlab.grade.submission import Submission

START_S = 20.0
"""For starting the judge and loading the submission."""
PATIENCE = 45
"""How many times as long as that a silent judge is waited for: a core may be busy with others.

The judge ends an item itself after 40 times its limit."""
MAX_LINE = 2 << 20
"""Bytes of one line of the judge."""
_END_S = 5.0

Heard = Callable[[ItemReport], object]

# The current folder is not searched: a learner's `json.py` would be imported for Python's own.
_BOOT = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
sys.path[:] = {path!r}
spec = spec_from_file_location("radixlab", {package!r})
sys.modules["radixlab"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["radixlab"])
from radixlab.grade.worker import main
main()
"""


class JudgeFailed(Exception):
    """The judge came to no end: the learner has no part in it."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What a judge said before it ended, well or not."""

    items: tuple[ItemReport, ...]
    printed: str = ""


def judge(
    exercise: Exercise,
    submission: Submission,
    seeds: Sequence[int] = (0,),
    heard: Heard | None = None,
    program: str | None = None,
) -> ExerciseReport:
    """Judge a submission; of several seeds, each item counts as its worst.

    A part that is not written yet takes nothing away from the parts before it: what they earn
    without it counts.

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
    without = list(submission.missing)
    worst = _worst([_run(exercise, submission, seed, heard, program) for seed in seeds])
    if number := _first_unwritten(submission, worst):
        part = submission.parts[number]
        without.append(part.name or part.place)
        smaller = replace(submission, parts=submission.parts[:number])
        again = _worst([_run(exercise, smaller, seed, None, program) for seed in seeds])
        pairs = zip(worst.items, again.items, strict=True)
        worst = replace(worst, items=tuple(max(pair, key=_share) for pair in pairs))
    return ExerciseReport(
        exercise.id,
        exercise.title,
        worst.items,
        used=tuple(f"{p.place} ({p.name})" if p.name else p.place for p in submission.parts),
        printed=worst.printed,
        doubts=submission.doubts,
        without=tuple(without),
    )


def unjudged(exercise: Exercise, submission: Submission, why: str) -> ExerciseReport:
    """Return the report of what was not judged at all."""
    return ExerciseReport(
        exercise.id,
        exercise.title,
        _unjudged(exercise, why),
        doubts=submission.doubts,
        absent=submission.absent,
    )


def _worst(runs: Sequence[_Run]) -> _Run:
    columns = zip(*(run.items for run in runs), strict=True)
    return replace(runs[0], items=tuple(min(column, key=_share) for column in columns))


def _share(item: ItemReport) -> float:
    return item.verdict.share


def _first_unwritten(submission: Submission, run: _Run) -> int:
    """Return the index of the first part that raised NotImplementedError; 0 for none after it."""
    labels = [part.label for part in submission.parts]
    stubs = [item.verdict.steps for item in run.items if item.verdict.status == "stub"]
    found = {steps[-1].label for steps in stubs if steps}
    return min((labels.index(label) for label in found if label in labels), default=0)


def _unjudged(exercise: Exercise, why: str, num_done: int = 0) -> tuple[ItemReport, ...]:
    verdict = Verdict("not_run", message=why)
    return tuple(ItemReport(exercise.id, item, verdict) for item in exercise.items[num_done:])


def _run(
    exercise: Exercise, submission: Submission, seed: int, heard: Heard | None, program: str
) -> _Run:
    """Start a judge and listen to it."""
    parts = [{"name": p.name, "source": p.source, "place": p.place} for p in submission.parts]
    cpu_s = int(sum(START_S + item.limit_s for item in exercise.items))
    asked = {"exercise": exercise.id, "parts": parts, "seed": seed, "cpu_s": cpu_s}
    items: list[ItemReport] = []
    try:
        with JudgeProcess(program, asked, most_lines=len(exercise.items) + 1) as process:
            for item in exercise.items:
                said = process.hear(PATIENCE * (START_S + item.limit_s))
                items.append(ItemReport(exercise.id, item, _verdict(said, item.id)))
                if heard:
                    heard(items[-1])
            return _Run(tuple(items), str(process.hear(PATIENCE * START_S).get("printed", "")))
    except (JudgeFailed, OSError) as error:
        return _Run((*items, *_unjudged(exercise, ours(error), len(items))))


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


class JudgeProcess:
    """A judge's process; leaving the context ends it and removes all of its files."""

    def __init__(self, program: str, asked: dict[str, Any], most_lines: int) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._folder = Path(tempfile.mkdtemp(prefix="radixlab-judge-"))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                cwd=self._folder,
                env=os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._folder)),
                start_new_session=True,  # Ctrl-C is for us: we end it in order
            )
        except OSError:
            remove(self._folder)
            raise
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(most_lines,), daemon=True).start()
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it died at once: `hear` says so
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()

    def __enter__(self) -> "JudgeProcess":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.close()  # a judge ends when this pipe does
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        remove(self._folder)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.returncode

    def hear(self, limit_s: float) -> dict[str, Any]:
        """Return the next line.

        Raises
        ------
        JudgeFailed
            There is none, or it is not a judge's.
        """
        try:
            line = self._lines.get(timeout=limit_s)
        except queue.Empty:
            self._process.kill()
            raise JudgeFailed(f"it said nothing for {limit_s:g} s") from None
        if not line:
            raise JudgeFailed(self._last_words())
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            raise JudgeFailed(f"it wrote {len(line):,} bytes that are not JSON") from None
        if not isinstance(said, dict) or "failed" in said:
            raise JudgeFailed(str(said["failed"]) if isinstance(said, dict) else "it wrote a list")
        return said

    def _listen(self, most_lines: int) -> None:
        """Hand on whole lines, as many as a judge has to say; an empty one means the end."""
        assert self._process.stdout
        with self._process.stdout as pipe:
            for _ in range(most_lines):
                line = pipe.readline(MAX_LINE)
                self._lines.put(line)
                if not line:
                    return
        self._lines.put(b"")

    def _last_words(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 2_000))
        last = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        ending = f"exit code {self._process.returncode}"
        with suppress(ValueError, TypeError):  # not every signal has a name
            ending = signal.Signals(-(self._process.returncode or 0)).name
        return ": ".join([f"its process ended ({ending})", *last])


def boot_code() -> str:
    """Return the program that judges: `worker`, with the modules of this process."""
    here = os.getcwd()
    path = [entry for entry in sys.path if os.path.isabs(entry) and entry != here]
    return _BOOT.format(path=path, package=os.path.abspath(radixlab.__file__))


def remove(folder: Path) -> None:
    """Remove a folder, however deep it is: subfolders move up before they are removed."""
    number = 0
    with suppress(OSError):
        while entries := list(os.scandir(folder)):
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.path)
                    continue
                for inner in os.scandir(entry.path):
                    number += 1
                    os.rename(inner.path, folder / f"moved-{number}")
                os.rmdir(entry.path)
        os.rmdir(folder)
