"""`%%exercise 8.5.1 [part]`: run a cell, keep it, and grade its source in a fresh process.

Registered by `%load_ext radixlab.grade`, which also offers `grade_here`, `hint` and `picture`.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from IPython.core.error import UsageError
from IPython.display import HTML, display

from radixlab.grade.history import History
from radixlab.grade.items import Item
from radixlab.grade.registry import EXERCISES
from radixlab.grade.render import MARKS
from radixlab.grade.submission import Part, Submission, as_part, collect
from radixlab.home import is_static

_parts: dict[tuple[str, str | None], Part] = {}
"""The latest run of each part in this kernel, in the order of their first runs."""
_hints_told: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Report:
    """A graded exercise, as the worker wrote it."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        shown = {"text/plain": self.text}
        return shown | {"text/html": self.html} if self.html else shown


def load(shell: Any) -> None:
    """Register the magic and offer the helpers in the notebook."""
    shell.register_magic_function(_magic_of(shell), "cell", "exercise")
    shell.push({"grade_here": grade_here, "hint": hint, "picture": picture}, interactive=False)


def grade_here(exercise_id: str) -> None:
    """Grade again what was run in this kernel; show the report."""
    if exercise_id not in EXERCISES:
        raise UsageError(f"there is no exercise {exercise_id!r}: {', '.join(EXERCISES)}")
    _grade(collect(exercise_id, _parts.values()))


def hint(item_id: str) -> None:
    """Print the next hint for an item such as `8.5.1/split`: a nudge, the idea, the near-solution.

    The last one costs nothing but pride.
    """
    item = _items().get(item_id)
    if item is None:
        names = [name for name in _items() if name.startswith(item_id.partition("/")[0])]
        raise UsageError(f"there is no item {item_id!r}: {', '.join(names or _items())}")
    told = min(_hints_told.get(item_id, 0), len(item.hints) - 1)
    _hints_told[item_id] = told + 1
    print(f"{item_id}, hint {told + 1} of {len(item.hints)}: {item.hints[told]}")


def picture(tree: Any) -> Any:
    """Draw a tree of one's own as its `walk` shows it, right or wrong."""
    from radixlab.grade import own_tree  # with matplotlib: not at the start of every kernel

    return own_tree.picture(tree)


def _items() -> dict[str, Item]:
    return {f"{e.id}/{item.id}": item for e in EXERCISES.values() for item in e.items}


def _magic_of(shell: Any) -> Callable[[str, str], None]:
    def exercise(line: str, cell: str) -> None:
        """Run the cell, keep a copy, and grade it: `%%exercise 8.5.1 [part]`."""
        part = as_part(f"%%exercise {line}\n{cell}")
        if part is None or part.exercise_id not in EXERCISES:
            known = ", ".join(EXERCISES)
            raise UsageError(f"%%exercise {line}: name an exercise ({known}) and, if any, a part")
        _parts[part.exercise_id, part.name] = part
        submission = collect(part.exercise_id, _parts.values())
        _keep(submission)
        shell.run_cell(cell, store_history=False)
        _grade(submission)

    return exercise


def _keep(submission: Submission) -> None:
    try:
        History(submission.exercise_id).keep(submission)
    except OSError as error:
        print(f"This version could not be kept: {error.strerror} ({error.filename}).")


def _grade(submission: Submission) -> None:
    """Let the worker grade; show how far it is, then the report."""
    with _status_line(submission.exercise_id) as tell:
        report = _ask_worker(submission, tell)
    display(report)


def _ask_worker(submission: Submission, tell: Callable[[str], None]) -> Report:
    parts = [
        {"name": part.name, "source": part.source, "place": part.place or "this notebook"}
        for part in submission.parts
    ]
    asked = {"exercise": submission.exercise_id, "parts": parts, "html": not is_static()}
    worker = subprocess.Popen(
        [sys.executable, "-m", "radixlab.grade.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert worker.stdin and worker.stdout and worker.stderr
    try:
        worker.stdin.write(json.dumps(asked))
        worker.stdin.close()
        done = ""
        for line in worker.stdout:
            said = json.loads(line)
            if "text" in said:
                return Report(said["text"], said["html"])
            done += f" {MARKS[said['status']]} {said['item']}"
            tell(done)
    finally:
        worker.terminate()
        worker.wait()
        worker.stdout.close()
        complaint = worker.stderr.read().strip().splitlines()
        worker.stderr.close()
    last = complaint[-1] if complaint else f"exit code {worker.returncode}"
    return Report(
        f"{submission.exercise_id}: the grader itself failed, no points given: {last}", ""
    )


@contextlib.contextmanager
def _status_line(exercise_id: str) -> Iterator[Callable[[str], None]]:
    """Show one line that is written over, and goes at last; nothing in a checked notebook."""
    if is_static():
        yield lambda _: None
        return
    line = display(HTML(f"<i>Grading {exercise_id} …</i>"), display_id=True)
    try:
        yield lambda done: line.update(HTML(f"<i>Grading {exercise_id}:{done} …</i>"))
    finally:
        line.update(HTML(""))
