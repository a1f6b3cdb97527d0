"""`radixlab start | history | restore | reset`: the learner's copies and their versions."""

import difflib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click

from radixlab.choices import not_one_of
from radixlab.cli.grade import EXERCISE
from radixlab.cli.lab import course_root
from radixlab.cli.shared import examples
from radixlab.grade import copies, workplace
from radixlab.grade.box import visible
from radixlab.grade.cells import SubmissionError
from radixlab.grade.history import History, Version
from radixlab.grade.registry import EXERCISES
from radixlab.grade.render import one_line
from radixlab.grade.submission import read
from radixlab.lesson.exercises import progress_lines


@click.command(epilog=examples("radixlab progress"))
def progress() -> None:
    """Show how far you are: guesses in the lessons, points in the exercises, and what is next."""
    for line in progress_lines():
        click.echo(line)


class NotebookId(click.ParamType[str]):
    """A lesson, such as 02, or an exercise, such as 8.5.1."""

    name = "notebook"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the id; fail with a list of the known ids."""
        known = [copies.id_of(path) for path in copies.handed_out(course_root())]
        if value not in known:
            self.fail(f"notebook {not_one_of(value, known)}", param, ctx)
        return str(value)


@click.command(epilog=examples("radixlab start"))
def start() -> None:
    """Copy lessons and exercises into work/, which is yours; what you began is never touched."""
    root = course_root()
    told = False
    for copy in copies.start(root):
        told |= copy.state != copies.SAME
        if copy.state == copies.BEHIND:
            click.echo(copies.newer_line(copy.path))
        elif copy.state != copies.SAME:
            click.echo(f"{copy.path.relative_to(root)}: {copy.state}")
    if not told:
        click.echo("Nothing to copy: work/ has every lesson and exercise already.")


@click.command(epilog=examples("radixlab history 8.5.1", "radixlab history 8.5.1 --diff"))
@click.argument("exercise_id", type=EXERCISE, metavar="8.5.N")
@click.option("--diff", is_flag=True, help="Show what VERSION, or the latest, changed.")
@click.argument("number", type=int, required=False, metavar="[VERSION]")
def history(exercise_id: str, diff: bool, number: int | None) -> None:
    """List the versions that were graded in a notebook, the latest last.

    A version is kept at each run of a graded cell: the last 20, and the best one.
    """
    versions = History(exercise_id).versions()
    if not versions:
        click.echo(f"No version of {exercise_id} yet: each run of its graded cells keeps one.")
    elif diff or number is not None:
        chosen = _chosen(exercise_id, versions, versions[-1].number if number is None else number)
        click.echo(visible("\n".join(_changes(versions, chosen))))
    else:
        best = History(exercise_id).best()
        for version in versions:
            click.echo(_line(version, version == best))


def _line(version: Version, is_best: bool) -> str:
    most = EXERCISES[version.submission.exercise_id].points
    points = "put aside" if version.aside else "not graded"
    if version.points is not None:
        points = f"{version.points:g} of {most}"
    names = ", ".join(part.name or "whole" for part in version.submission.parts)
    row = f"{version.number:4}  {version.when}  {points:>12}  {version.num_lines:4} lines  {names}"
    return one_line(f"{row}  (best)" if is_best else row)


def _changes(versions: list[Version], chosen: Version) -> Iterator[str]:
    """Yield a version's difference from the one before it, part by part."""
    before = max((v for v in versions if v.number < chosen.number), key=_number, default=None)
    old = before.submission.sources if before else {}
    new = chosen.submission.sources
    names = [f"version {version.number}" if version else "nothing" for version in (before, chosen)]
    for part in dict.fromkeys([*old, *new]):
        was, now = (found.get(part, "").splitlines() for found in (old, new))
        labels = [f"{name}, {part}" if part else name for name in names]
        yield from difflib.unified_diff(was, now, labels[0], labels[1], lineterm="")


def _number(version: Version) -> int:
    return version.number


def _chosen(exercise_id: str, versions: list[Version], number: int) -> Version:
    found = next((version for version in versions if version.number == number), None)
    if found is None:
        kept = ", ".join(str(version.number) for version in versions)
        raise click.UsageError(
            f"there is no version {number} of {exercise_id}; the versions kept are {kept}"
        )
    return found


@click.command(epilog=examples("radixlab restore 8.5.1", "radixlab restore 8.5.1 12"))
@click.argument("exercise_id", type=EXERCISE, metavar="8.5.N")
@click.argument("number", type=int, required=False, metavar="[VERSION]")
def restore(exercise_id: str, number: int | None) -> None:
    """Put a version back into your notebook: the best one, or the one numbered VERSION.

    The notebook then holds that version and nothing else. What stood there is kept as a version of
    its own, so nothing is lost. Where no version was graded, the latest is taken.
    """
    chosen = History(exercise_id).wanted()
    if chosen is None:
        raise click.UsageError(f"no version of {exercise_id} is kept")
    if number is not None:
        chosen = _chosen(exercise_id, History(exercise_id).versions(), number)
    path = _own_notebook(exercise_id)
    kept = workplace.put_back(path, chosen.submission)
    named = f"version {chosen.number} of {one_line(chosen.when)}"
    if chosen.points is not None:
        named += f", which earned {chosen.points:g} points,"
    if kept is None:
        click.echo(f"{path.name} holds {named.rstrip(',')} already; nothing was changed.")
        return
    stood = f" What stood there is version {kept}." if kept else ""
    click.echo(f"{path.name}: {named} is back; reload the page.{stood}")


@click.command(epilog=examples("radixlab reset 02", "radixlab reset 8.5.1"))
@click.argument("notebook_id", type=NotebookId(), metavar="0N|8.5.N")
def reset(notebook_id: str) -> None:
    """Begin a lesson or an exercise again, in its newest version; what you wrote is kept."""
    root = course_root()
    copies.start(root)
    name = next(p.name for p in copies.handed_out(root) if copies.id_of(p) == notebook_id)
    path, number = root / copies.WORK / name, 0
    if notebook_id in EXERCISES:
        with suppress(SubmissionError):  # not a notebook any more: kept whole
            if not (submission := read(path, notebook_id)).is_empty:
                number = History(notebook_id).keep(submission)
    kept = copies.reset(path)
    click.echo(f"{name}: a fresh copy; if it is open, reload the page.")
    if kept:
        click.echo(f"Yours is kept as {kept.relative_to(root)}.")
    if kept and number:
        click.echo(f"`radixlab restore {notebook_id} {number}` puts your answers into it.")


def _own_notebook(exercise_id: str) -> Path:
    root = course_root()
    copies.start(root)
    return workplace.notebook(root, EXERCISES[exercise_id])
