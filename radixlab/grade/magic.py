"""`%%exercise 8.5.1 [part]`: run a cell, keep it, and grade its source in a fresh process.

Registered by `%load_ext radixlab.grade`, which also offers `grade_here`, `hint` and `picture`.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from IPython.core.error import UsageError
from IPython.display import HTML, display

from radixlab.exercise.plain import plain_text
from radixlab.grade.history import History
from radixlab.grade.items import Item
from radixlab.grade.judging import judge
from radixlab.grade.progress import Progress
from radixlab.grade.registry import EXERCISES
from radixlab.grade.render import MARKS, page, text
from radixlab.grade.report import ItemReport
from radixlab.grade.submission import Part, Submission, as_part, collect
from radixlab.home import is_static

_parts: dict[tuple[str, str | None], Part] = {}
"""The latest run of each part in this kernel, in the order of their first runs."""
_hints_told: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Report:
    """A graded exercise, as a notebook shows it."""

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


def grade_here(exercise_id: object = "") -> None:
    """Grade again what was run in this kernel; show the report."""
    if not isinstance(exercise_id, str) or exercise_id not in EXERCISES:
        wanted = ", ".join(map(repr, EXERCISES))
        raise UsageError(f"there is no exercise {plain_text(exercise_id)}: {wanted}")
    _grade(collect(exercise_id, _of(exercise_id)))


def hint(item_id: object = "") -> None:
    """Print the next hint for an item such as `8.5.1/split`: a nudge, the idea, the near-solution.

    The last one costs nothing but pride.
    """
    item_id = item_id if isinstance(item_id, str) else plain_text(item_id)  # hint(8.5)
    item = _items().get(item_id)
    if item is None:
        names = [name for name in _items() if name.startswith(item_id.partition("/")[0])]
        raise UsageError(f"there is no item {item_id[:80]!r}: {', '.join(names or _items())}")
    told = min(_hints_told.get(item_id, 0), len(item.hints) - 1)
    _hints_told[item_id] = told + 1
    print(f"{item_id}, hint {told + 1} of {len(item.hints)}: {item.hints[told]}")


def picture(tree: Any = None) -> Any:
    """Draw a tree of one's own as its `walk` shows it, right or wrong."""
    from radixlab.grade import own_tree  # with matplotlib: not at the start of every kernel

    return own_tree.picture(tree)


def _items() -> dict[str, Item]:
    return {f"{e.id}/{item.id}": item for e in EXERCISES.values() for item in e.items}


def _magic_of(shell: Any) -> Callable[[str, str], None]:
    def exercise(line: str, cell: str) -> None:
        """Run the cell, keep a copy, and grade it: `%%exercise 8.5.1 [part]`."""
        part = as_part(f"%%exercise {line}\n{cell}", "this notebook")
        if not isinstance(part, Part):
            raise UsageError(f"%%exercise {line}: {part}")
        _parts[part.exercise_id, part.name] = part
        submission = collect(part.exercise_id, _of(part.exercise_id))
        number = _keep(submission)
        shell.run_cell(_quiet(cell), store_history=False)
        _grade(submission, number)

    return exercise


def _quiet(cell: str) -> str:
    """Keep a gap at the cell's end, three dots, from being shown as its value."""
    return f"{cell}\nNone" if f"\n{cell.rstrip()}".endswith("\n...") else cell


def _of(exercise_id: str) -> list[Part]:
    return [part for part in _parts.values() if part.exercise_id == exercise_id]


def _keep(submission: Submission) -> int | None:
    with _warned("This version could not be kept"):
        return History(submission.exercise_id).keep(submission)
    return None


@contextlib.contextmanager
def _warned(what: str) -> Iterator[None]:
    """Print one line where the learner's folder cannot be written: it costs nothing else."""
    try:
        yield
    except OSError as error:
        print(f"{what}: {error.strerror} ({error.filename}).")


def _grade(submission: Submission, number: int | None = None) -> None:
    """Judge in another process; show how far it is, then the report."""
    exercise, done = EXERCISES[submission.exercise_id], list[str]()
    with _status_line(exercise.id) as tell:

        def heard(item: ItemReport) -> None:
            done.append(f"{MARKS[item.verdict.status]} {item.item.id}")
            tell(" ".join(done))

        try:
            report = judge(exercise, submission, heard=heard)
        except KeyboardInterrupt:
            so_far = f"{len(done)} of {len(exercise.items)} items"
            raise Interrupted(f"{exercise.id}: interrupted after {so_far}; not graded.") from None
    if report.standing != "grader failed":
        with _warned("The points could not be kept"):
            Progress().save(report, whole=not submission.missing)
            if number is not None:
                History(exercise.id).note(number, report.points)
    display(Report(text(report), "" if is_static() else page(report)))


class Interrupted(KeyboardInterrupt):
    """An interrupted check: the cell ends here, with one line and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@contextlib.contextmanager
def _status_line(exercise_id: str) -> Iterator[Callable[[str], None]]:
    """Show one line that is updated, and removed at the end; nothing in a checked notebook."""
    if is_static():
        yield lambda _: None
        return
    line = display(HTML(f"<i>Grading {exercise_id} …</i>"), display_id=True)
    try:
        yield lambda done: line.update(HTML(f"<i>Grading {exercise_id}: {done} …</i>"))
    finally:
        line.update(HTML(""))
