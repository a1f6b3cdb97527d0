"""`radixlab grade`: the same grader as in the notebooks, over files."""

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from radixlab.cli.shared import OUTPUT_FILE, examples, progress
from radixlab.files import replace_text
from radixlab.grade.copies import EXERCISES as HANDED_OUT
from radixlab.grade.copies import WORK
from radixlab.grade.exports import as_csv, as_gradescope, as_junit
from radixlab.grade.items import Exercise
from radixlab.grade.judge import grade
from radixlab.grade.progress import Progress
from radixlab.grade.registry import EXERCISES
from radixlab.grade.render import text
from radixlab.grade.report import ExerciseReport, ItemReport, Verdict, as_dict
from radixlab.grade.submission import Submission, SubmissionError, read
from radixlab.grade.workplace import learners

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
INPUT_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Reports = dict[str, list[ExerciseReport]]


class ExerciseId(click.ParamType[str]):
    """An exercise of the course."""

    name = "exercise"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the id; fail with those that there are."""
        if value not in EXERCISES:
            self.fail(f"there is no exercise {value!r}: {', '.join(EXERCISES)}", param, ctx)
        return str(value)


EXERCISE = ExerciseId()


@click.command(
    name="grade",
    epilog=examples(
        "radixlab grade",
        "radixlab grade 8.5.1 --watch",
        "radixlab grade --dir class/ --csv points.csv",
    ),
)
@click.argument("ids", nargs=-1, type=EXERCISE, metavar="[8.5.N]...")
@click.option("--dir", "folder", type=FOLDER, help="One learner's notebooks, or a folder of such.")
@click.option("--json", "as_json", is_flag=True, help="Print the points as JSON.")
@click.option("--csv", "csv_file", type=OUTPUT_FILE, help="Write a line per learner.")
@click.option("--junit", "junit_file", type=OUTPUT_FILE, help="Write JUnit XML.")
@click.option("--gradescope", "gradescope_file", type=OUTPUT_FILE, help="Write results.json.")
@click.option("--watch", is_flag=True, help="Grade again whenever a notebook is saved.")
@click.option("--seed-file", type=INPUT_FILE, help="Integers: more hidden scenarios to pass.")
@click.pass_context
def grade_command(
    context: click.Context,
    ids: tuple[str, ...],
    folder: Path | None,
    as_json: bool,
    csv_file: Path | None,
    junit_file: Path | None,
    gradescope_file: Path | None,
    watch: bool,
    seed_file: Path | None,
) -> int:
    """Grade exercises; the exit code is 0 when everything asked for passed, else 1.

    Without --dir it looks in work/, then in exercises/.
    """
    chosen = [exercise for exercise in EXERCISES.values() if not ids or exercise.id in ids]
    seeds = [0, *_seeds(seed_file)]
    own = folder is None
    place = folder or _default_folder()
    found = learners(place)
    if gradescope_file and len(found) > 1:
        raise click.UsageError(f"--gradescope is for one learner; {place} holds {len(found)}")
    while True:
        try:
            reports = _grade_all(found, chosen, seeds, keep=own)
        except SubmissionError as error:
            if not watch:
                raise
            click.echo(f"error: {error}", err=True)  # the next save may mend it
            _wait_for_change(found.values())
            continue
        _print(reports, as_json=as_json)
        for file, content in ((csv_file, as_csv), (junit_file, as_junit)):
            if file:
                replace_text(file, content(reports))
        if gradescope_file:
            replace_text(gradescope_file, as_gradescope(next(iter(reports.values()))))
        if not watch:
            return 0 if all(r.passed for some in reports.values() for r in some) else 1
        _wait_for_change(found.values())


def _seeds(path: Path | None) -> list[int]:
    if path is None:
        return []
    try:
        words = path.read_text(encoding="utf-8").replace(",", " ").split()
        seeds = [int(word) for word in words]
    except ValueError as error:
        raise click.UsageError(f"{path}: seeds are integers: {error}") from None
    if not seeds or min(seeds) < 0:
        found = f"{min(seeds)} is below 0" if seeds else "there is none"
        raise click.UsageError(f"{path}: seeds are integers from 0 up: {found}")
    return seeds


def _default_folder() -> Path:
    for folder in (Path(WORK), Path(HANDED_OUT)):
        if any(folder.glob("ex*.ipynb")):
            return folder
    raise click.UsageError(f"no ex*.ipynb in {WORK}/ or {HANDED_OUT}/: name a folder with --dir")


def _grade_all(
    found: dict[str, Path], exercises: Sequence[Exercise], seeds: Sequence[int], *, keep: bool
) -> Reports:
    reports: Reports = {}
    num_items = sum(len(exercise.items) for exercise in exercises) * len(found) * len(seeds)
    with progress(num_items, "grading", "item") as done:
        for name, folder in found.items():
            reports[name] = []
            for exercise in exercises:
                path = folder / f"{exercise.notebook}.ipynb"
                try:
                    submission = _read(path, exercise)
                except (SubmissionError, OSError) as error:
                    if len(found) == 1:
                        raise
                    click.echo(f"{name}: not graded: {error}", err=True)
                    reports[name].append(_not_run(exercise, str(error)))
                    continue
                runs = [grade(exercise, submission, seed, None, lambda _: done()) for seed in seeds]
                reports[name].append(worst(runs))
                if keep:
                    Progress().save(reports[name][-1])
    return reports


def _read(path: Path, exercise: Exercise) -> Submission:
    return read(path, exercise.id) if path.is_file() else Submission(exercise.id, ())


def _not_run(exercise: Exercise, why: str) -> ExerciseReport:
    """Report a notebook that cannot be read: it costs its learner's points, and nobody else's."""
    verdict = Verdict("not_run", message=why)
    items = tuple(ItemReport(exercise.id, item, verdict) for item in exercise.items)
    return ExerciseReport(exercise.id, exercise.title, items)


def worst(runs: Sequence[ExerciseReport]) -> ExerciseReport:
    """Of several seeds, each item counts as its worst."""
    columns = zip(*(run.items for run in runs), strict=True)
    items = tuple(min(column, key=lambda item: item.verdict.share) for column in columns)
    return replace(runs[0], items=items)


def _print(reports: Reports, *, as_json: bool) -> None:
    if as_json:
        named = {name: as_dict(found) for name, found in reports.items()}
        shown = next(iter(named.values())) if len(named) == 1 else {"learners": named}
        click.echo(json.dumps(shown, indent=1))
    elif len(reports) == 1:
        click.echo("\n\n".join(text(report) for report in next(iter(reports.values()))))
        total = as_dict(next(iter(reports.values())))
        click.echo(f"\n{total['points']:g} of {total['max_points']} points")
    else:
        click.echo("\n".join(_table(reports)))


def _table(reports: Reports) -> Iterable[str]:
    ids = [report.id for report in next(iter(reports.values()))]
    width = max(map(len, [*reports, "learner"]))
    yield "  ".join([f"{'learner':{width}}", *(f"{id:>7}" for id in ids), f"{'points':>7}"])
    for name, found in reports.items():
        points = [report.points for report in found]
        yield "  ".join([f"{name:{width}}", *(f"{p:>7g}" for p in [*points, sum(points)])])


def _wait_for_change(folders: Iterable[Path]) -> None:
    def stamps() -> dict[Path, int]:
        files = [path for folder in folders for path in folder.glob("ex*.ipynb")]
        return {path: path.stat().st_mtime_ns for path in files if path.exists()}

    click.echo("\nWaiting for a notebook to be saved; Ctrl-C ends it.", err=True)
    folders = list(folders)
    before = stamps()
    while stamps() == before:
        time.sleep(0.5)
