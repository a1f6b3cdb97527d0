"""`radixlab start | history | restore | reset`: the learner's copies and their versions."""

from contextlib import suppress
from pathlib import Path

import click

from radixlab.cli.grade import EXERCISE
from radixlab.cli.lab import course_root
from radixlab.cli.shared import examples
from radixlab.grade import copies, workplace
from radixlab.grade.history import History
from radixlab.grade.registry import EXERCISES
from radixlab.grade.submission import SubmissionError, read


class NotebookId(click.ParamType[str]):
    """A lesson, such as 02, or an exercise, such as 8.5.1."""

    name = "notebook"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the id; fail with a list of the known ids."""
        known = [copies.id_of(path) for path in copies.handed_out(course_root())]
        if value not in known:
            self.fail(f"there is no notebook {value!r}: {', '.join(known)}", param, ctx)
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


@click.command(epilog=examples("radixlab history 8.5.1"))
@click.argument("exercise_id", type=EXERCISE, metavar="8.5.N")
def history(exercise_id: str) -> None:
    """List the versions that were graded in a notebook, the latest last."""
    versions = History(exercise_id).versions()
    for version in versions:
        names = ", ".join(part.name or "whole" for part in version.submission.parts)
        click.echo(f"{version.number:4}  {version.when}  {version.num_lines:4} lines  {names}")
    if not versions:
        click.echo(f"No version of {exercise_id} yet: each run of its graded cells keeps one.")


@click.command(epilog=examples("radixlab restore 8.5.1", "radixlab restore 8.5.1 12"))
@click.argument("exercise_id", type=EXERCISE, metavar="8.5.N")
@click.argument("number", type=int, required=False, metavar="[VERSION]")
def restore(exercise_id: str, number: int | None) -> None:
    """Put a version back into your notebook: the latest, or the one numbered VERSION."""
    versions = {version.number: version for version in History(exercise_id).versions()}
    if not versions:
        raise click.UsageError(f"no version of {exercise_id} is kept")
    chosen = versions.get(max(versions) if number is None else number)
    if chosen is None:
        kept = f"{min(versions)} to {max(versions)}"
        raise click.UsageError(f"there is no version {number} of {exercise_id}: {kept} are kept")
    path = _own_notebook(exercise_id)
    workplace.put_back(path, chosen.submission)
    click.echo(f"{path.name}: version {chosen.number} of {chosen.when} is back; reload the page.")


@click.command(epilog=examples("radixlab reset 02", "radixlab reset 8.5.1"))
@click.argument("notebook_id", type=NotebookId(), metavar="0N|8.5.N")
def reset(notebook_id: str) -> None:
    """Begin a lesson or an exercise again, in its newest version; what you wrote is kept."""
    root = course_root()
    copies.start(root)
    name = next(p.name for p in copies.handed_out(root) if copies.id_of(p) == notebook_id)
    path = root / copies.WORK / name
    if notebook_id in EXERCISES:
        with suppress(SubmissionError, IsADirectoryError):  # no notebook any more: kept whole
            if not (submission := read(path, notebook_id)).is_empty:
                History(notebook_id).keep(submission)
    kept = copies.reset(path)
    click.echo(f"{name}: a fresh copy; if it is open, reload the page.")
    if kept:
        click.echo(f"Yours is kept as {kept.relative_to(root)}.")
    if kept and notebook_id in EXERCISES and History(notebook_id).versions():
        click.echo(f"`radixlab restore {notebook_id}` puts your answers into the fresh copy.")


def _own_notebook(exercise_id: str) -> Path:
    root = course_root()
    copies.start(root)
    return workplace.notebook(root, EXERCISES[exercise_id])
