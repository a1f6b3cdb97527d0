"""A class as a table, as wide as a terminal: points by exercise, and where they were lost."""

from collections.abc import Iterator, Sequence
from statistics import mean, median

from radixlab.grade.exports import Learners, item_figures
from radixlab.grade.render import one_line
from radixlab.grade.report import ExerciseReport, Standing, rounded, total

MAX_NAME = 24
NUM_HARDEST = 5
_WORDS: dict[Standing, str] = {
    "not handed in": "none",
    "unreadable": "unread",
    "stub": "stub",
    "grader failed": "!",
}
_LEGEND = {
    "none": "not handed in",
    "unread": "handed in, but it could not be read",
    "stub": "nothing is written yet",
    "!": "the grader itself failed: not the learner's fault",
}


def table(learners: Learners) -> str:
    """Return the class's table, its means and medians, and the items that cost most points."""
    return "".join(f"{line.rstrip()}\n" for line in _lines(learners))


def _lines(learners: Learners) -> Iterator[str]:
    reports = next(iter(learners.values()), ())
    width = min(MAX_NAME, max(map(len, [*learners, "median of all"])))
    yield _row("learner", [*(report.id for report in reports), "points", "tries"], width)
    cells = {name: [_cell(report) for report in found] for name, found in learners.items()}
    for name, found in learners.items():
        yield _row(name, [*cells[name], f"{total(found):g}", _tries(found)], width)
    if len(learners) > 1:
        columns = [[r.points for r in column] for column in zip(*learners.values(), strict=True)]
        columns.append([total(found) for found in learners.values()])
        yield ""
        yield _row("mean of all", [f"{rounded(mean(column)):g}" for column in columns], width)
        yield _row("median of all", [f"{rounded(median(column)):g}" for column in columns], width)
    used = {word for row in cells.values() for word in row}
    yield from (f"{word}: {meaning}" for word, meaning in _LEGEND.items() if word in used)
    yield from _hardest(learners)


def _row(name: str, cells: Sequence[str], width: int) -> str:
    name = one_line(name)
    short = name if len(name) <= width else f"{name[: width - 1]}…"
    return "  ".join([f"{short:{width}}", *(f"{cell:>7}" for cell in cells)])


def _cell(report: ExerciseReport) -> str:
    return _WORDS.get(report.standing, f"{report.points:g}")


def _tries(reports: Sequence[ExerciseReport]) -> str:
    known = [report.tries for report in reports if report.tries is not None]
    return str(sum(known)) if known else ""


def _hardest(learners: Learners) -> Iterator[str]:
    """Yield the items of which the class earned least."""
    figures = [f for f in item_figures(learners) if f["num_judged"] and f["mean_share"] < 1]
    if figures and len(learners) > 1:
        yield ""
        yield "Items that cost most, among those who handed something in:"
        width = max(len(figure["id"]) for figure in figures)
        for figure in sorted(figures, key=lambda figure: figure["mean_share"])[:NUM_HARDEST]:
            passed = f"passed by {figure['num_passed']} of {figure['num_judged']}"
            yield f"  {figure['id']:{width}}  {passed}, mean {100 * figure['mean_share']:.0f} %"
