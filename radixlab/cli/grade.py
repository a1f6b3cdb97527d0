"""`radixlab grade`: the same grader as in the notebooks, over one learner's files or a class's."""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from radixlab.choices import not_one_of
from radixlab.cli.shared import OUTPUT_FILE, examples, exit_with, progress
from radixlab.files import replace_text
from radixlab.grade.box import missing_fence
from radixlab.grade.copies import EXERCISES as HANDED_OUT
from radixlab.grade.copies import WORK
from radixlab.grade.exports import as_csv, as_gradescope, as_json, as_junit
from radixlab.grade.items import Exercise
from radixlab.grade.judging import judge, ours, unjudged
from radixlab.grade.progress import Progress
from radixlab.grade.registry import EXERCISES
from radixlab.grade.render import one_line, text
from radixlab.grade.report import ExerciseReport, total
from radixlab.grade.submission import Submission
from radixlab.grade.table import table
from radixlab.grade.workplace import hand_in, has_exercises, learners, num_tries

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
INPUT_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Reports = dict[str, list[ExerciseReport]]
GRADER_FAILED = 3
"""The exit code if the grader failed for some learner."""


class ExerciseId(click.ParamType[str]):
    """An exercise of the course."""

    name = "exercise"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the id; fail with a list of the known ids."""
        if value not in EXERCISES:
            self.fail(f"exercise {not_one_of(value, EXERCISES)}", param, ctx)
        return str(value)


EXERCISE = ExerciseId()


@click.command(
    name="grade",
    epilog=examples(
        "radixlab grade",
        "radixlab grade 8.5.1 --watch",
        "radixlab grade --dir class/ --csv points.csv",
        "radixlab grade --dir class/ --seed 1234 --seed 99",
    ),
)
@click.argument("ids", nargs=-1, type=EXERCISE, metavar="[8.5.N]...")
@click.option(
    "--dir",
    "folder",
    type=FOLDER,
    help="A class with a folder per learner, or one learner's folder.",
)
@click.option("--json", "as_json_", is_flag=True, help="Print the points as JSON.")
@click.option("--csv", "csv_file", type=OUTPUT_FILE, help="Write CSV, one line per learner.")
@click.option("--junit", "junit_file", type=OUTPUT_FILE, help="Write JUnit XML.")
@click.option(
    "--gradescope", "gradescope_file", type=OUTPUT_FILE, help="Write one learner's results.json."
)
@click.option("--watch", is_flag=True, help="Grade again whenever a notebook is saved.")
@click.option(
    "--seed",
    "given",
    type=click.IntRange(min=0),
    multiple=True,
    help="Seed of the hidden scenarios; with several, each item counts at its worst.",
)
@click.option("--seed-file", type=INPUT_FILE, help="Seeds from a file of integers.")
def grade_command(
    ids: tuple[str, ...],
    folder: Path | None,
    as_json_: bool,
    csv_file: Path | None,
    junit_file: Path | None,
    gradescope_file: Path | None,
    watch: bool,
    given: tuple[int, ...],
    seed_file: Path | None,
) -> int:
    """Grade exercises; the exit code is 0 when everything asked for passed, else 1.

    Without --dir it grades your own notebooks, in this folder, in work/, or in exercises/. The seed
    is 0, as in the notebooks, unless --seed gives another. With --dir it grades the notebooks of
    others and draws a new seed, which it prints. The same --seed gives the same hidden scenarios.

    Files are written learner by learner; after Ctrl-C they hold the learners graded so far. The
    exit code is 2 for a mistake in the command and 3 if the grader itself failed for somebody.
    """
    chosen = [exercise for exercise in EXERCISES.values() if not ids or exercise.id in ids]
    seeds = [*given, *_seeds(seed_file)] or [secrets.randbelow(10**9) + 1 if folder else 0]
    found = learners(folder or _own_folder())
    if gradescope_file and len(found) > 1:
        raise click.UsageError(f"--gradescope is for one learner; {folder} holds {len(found)}")
    if folder:
        click.echo(f"seed {' '.join(map(str, seeds))}", err=True)
        if warning := missing_fence():
            click.echo(f"warning: {warning}", err=True)
    files = [
        (csv_file, lambda reports: as_csv(reports, seeds)),
        (junit_file, lambda reports: as_junit(reports, seeds)),
        (gradescope_file, lambda reports: as_gradescope(next(iter(reports.values()), ()), seeds)),
    ]
    grading = _Grading(chosen, seeds, own=folder is None, files=files)
    while True:
        reports = grading.run(found)
        click.echo(_shown(reports, seeds, as_json_), nl=False)
        if grading.interrupted:
            exit_with(f"interrupted: {len(reports)} of {len(found)} learners are graded", 130)
        if not watch:
            return _exit_code(reports)
        _wait_for_change(found.values())


def _exit_code(reports: Reports) -> int:
    found = [report for reports_of_one in reports.values() for report in reports_of_one]
    if any(report.standing == "grader failed" for report in found):
        return GRADER_FAILED
    return 0 if all(report.passed for report in found) else 1


def _seeds(path: Path | None) -> list[int]:
    if path is None:
        return []
    try:
        words = path.read_text(encoding="utf-8-sig").replace(",", " ").split()
        seeds = [int(word) for word in words]
    except ValueError as error:
        raise click.UsageError(f"{path}: seeds are integers: {error}") from None
    if not seeds or min(seeds) < 0:
        found = f"{min(seeds)} is below 0" if seeds else "there is none"
        raise click.UsageError(f"{path}: seeds are integers from 0 up: {found}")
    return seeds


def _own_folder() -> Path:
    for folder in (Path(), Path(WORK), Path(HANDED_OUT)):
        if folder.is_dir() and has_exercises(folder):
            return folder
    places = f"here, in {WORK}/ or in {HANDED_OUT}/"
    raise click.UsageError(f"no ex*.ipynb {places}: name a folder with --dir")


@dataclass
class _Grading:
    """Learner after learner; each result is on disk before the next begins."""

    exercises: Sequence[Exercise]
    seeds: Sequence[int]
    own: bool
    """Whether these are the notebooks of whoever runs this: their progress is kept."""
    files: Sequence[tuple[Path | None, Callable[[Reports], str]]]
    interrupted: bool = field(default=False, init=False)

    def run(self, found: dict[str, Path]) -> Reports:
        """Return what was graded until the end, or until Ctrl-C."""
        reports: Reports = {}
        num_items = sum(len(exercise.items) for exercise in self.exercises) * len(self.seeds)
        with progress(num_items * len(found), "grading", "item") as done:
            try:
                self._write(reports)  # what an earlier run left there is not this class's
                for name, folder in found.items():
                    reports[name] = [self._grade(e, folder, done) for e in self.exercises]
                    self._write(reports)
                    if len(found) > 1:
                        _tell(name, reports[name])
            except KeyboardInterrupt:
                self.interrupted = True
                self._write(reports)  # it may have come between two files
        return reports

    def _grade(
        self, exercise: Exercise, folder: Path, done: Callable[[], object]
    ) -> ExerciseReport:
        try:
            report = judge(exercise, hand_in(folder, exercise), self.seeds, lambda _: done())
        except Exception as error:  # whatever it is: the class goes on
            report = unjudged(exercise, Submission(exercise.id, ()), ours(error))
        if self.own and report.standing in ("graded", "failed", "stub"):
            try:
                Progress().save(report)
            except OSError as error:
                line = f"warning: the points could not be kept: {error.strerror}"
                click.echo(one_line(f"{line} ({error.filename})"), err=True)
        return replace(report, tries=num_tries(folder, exercise.id))

    def _write(self, reports: Reports) -> None:
        for file, content in self.files:
            if file:
                replace_text(file, content(reports))


def _tell(name: str, reports: Sequence[ExerciseReport]) -> None:
    """Say on stderr what a teacher has to look at."""
    for report in reports:
        if report.standing in ("unreadable", "grader failed"):
            why = next(i.verdict.message for i in report.items if i.verdict.status == "not_run")
            click.echo(f"{name} {report.id}: not graded: {one_line(why)}", err=True)
        for doubt in report.doubts:
            click.echo(f"{name} {report.id}: {doubt}", err=True)


def _shown(reports: Reports, seeds: Sequence[int], as_json_: bool) -> str:
    if as_json_:
        return as_json(reports, seeds)
    if len(reports) != 1:
        return table(reports)
    (found,) = reports.values()
    points, most = total(found), sum(report.max_points for report in found)
    texts = "\n\n".join(text(report) for report in found)
    return f"{texts}\n\n{points:g} of {most} points\n"


def _wait_for_change(folders: Iterable[Path]) -> None:
    def stamps() -> dict[Path, int]:
        files = [path for folder in folders for path in folder.glob("*.ipynb")]
        return {path: path.stat().st_mtime_ns for path in files if path.exists()}

    click.echo("\nWaiting for a notebook to be saved; Ctrl-C ends it.", err=True)
    folders = list(folders)
    before = stamps()
    while stamps() == before:
        time.sleep(0.5)
