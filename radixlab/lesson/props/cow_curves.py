"""Two pictures of a copy-on-write report: what a write costs, and where copy-on-write pays.

This file knows the reports of exercise 8.5.2. It does not know how they were measured.
"""

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radixlab.exercise.cow import CowReport
from radixlab.lesson.picture import Picture

WRITES = {
    "first": ("first after a fork", "-"),
    "unshared": ("never shared", "-"),
    "after": ("after that", ":"),  # lies on the line above
}


def cow_curves(report: CowReport) -> Picture:
    """Draw the cost of a write over block size (median, quartiles), and eager over cow over forks.

    The writes are those with the largest number of forks.
    """
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _writes(left, report)
    _ratios(right, report)
    return Picture.of(figure, "\n".join(_text(report)))


def _sizes(report: CowReport) -> list[int]:
    return sorted({conclusion.block_size for conclusion in report.conclusions})


def _forks(report: CowReport) -> list[int]:
    return sorted({conclusion.forks for conclusion in report.conclusions})


def _writes(axes: Axes, report: CowReport) -> None:
    sizes, forks = _sizes(report), _forks(report)[-1]
    for phase, (label, line) in WRITES.items():
        cells = [("cow", size, forks, phase) for size in sizes]
        middle = [1e6 * report.median[cell] for cell in cells]
        low, high = ([1e6 * report.spread[cell][end] for cell in cells] for end in (0, 1))
        axes.plot(sizes, middle, line, marker="o", label=label)
        axes.fill_between(sizes, low, high, alpha=0.25)
    axes.set(xlabel="block size (tokens)", ylabel="µs", title=f"a write, {forks} forks")
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_ylim(bottom=0)
    axes.legend()


def _ratios(axes: Axes, report: CowReport) -> None:
    ratio = {(one.block_size, one.forks): one.eager_over_cow for one in report.conclusions}
    forks = _forks(report)
    for size in _sizes(report):
        values = [ratio[size, num] for num in forks]
        axes.plot(forks, values, marker="o", label=f"blocks of {size}")
    axes.axhline(1, color="0.5", linestyle="--")
    axes.set(xlabel="forks", ylabel="eager / copy-on-write", title="a whole group")
    axes.set_xticks(forks)
    axes.set_ylim(bottom=0)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def _text(report: CowReport) -> Iterator[str]:
    yield f"{'block size':>10}{'forks':>7}{'a copy adds':>13}{'share copied':>14}{'eager/cow':>11}"
    for one in sorted(report.conclusions, key=lambda one: (one.block_size, one.forks)):
        copy = "-" if one.copy_s is None else f"{1e6 * one.copy_s:.1f} µs"
        yield (
            f"{one.block_size:10}{one.forks:7}{copy:>13}"
            f"{one.copied_share:14.3f}{one.eager_over_cow:11.2f}"
        )
