"""`radixlab start | history | restore | reset`: the learner's copies and their versions."""

from pathlib import Path

import click

from radixlab.cli.grade import EXERCISE
from radixlab.cli.lab import course_root
from radixlab.cli.shared import examples
from radixlab.grade import workplace
from radixlab.grade.history import History
from radixlab.grade.registry import EXERCISES
from radixlab.grade.submission import read


@click.command(epilog=examples("radixlab start"))
def start() -> None:
    """Copy the exercises into work/, which is yours; what is there already is never touched."""
    root = course_root()
    made = workplace.start(root)
    for path in made:
        click.echo(f"{path.relative_to(root)}: new")
    if not made:
        click.echo("Nothing to copy: work/ has every exercise already.")


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


@click.command(epilog=examples("radixlab reset 8.5.1"))
@click.argument("exercise_id", type=EXERCISE, metavar="8.5.N")
def reset(exercise_id: str) -> None:
    """Begin an exercise again; what you wrote is kept as a version."""
    fresh = course_root() / workplace.EXERCISES / f"{EXERCISES[exercise_id].notebook}.ipynb"
    path = _own_notebook(exercise_id)
    workplace.put_back(path, read(fresh, exercise_id))
    click.echo(f"{path.name}: as handed out; `radixlab restore {exercise_id}` brings yours back.")


def _own_notebook(exercise_id: str) -> Path:
    root = course_root()
    workplace.start(root)
    return workplace.notebook(root, EXERCISES[exercise_id])
