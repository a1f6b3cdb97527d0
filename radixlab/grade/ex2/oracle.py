"""What a right report says: figures and conclusions, computed from the samples as they were logged.

Seconds and copies are those of the log, whatever the samples say, so nothing can be made up.
"""

from collections import Counter, defaultdict
from statistics import median

from radixlab.exercise.cow import Cell, Conclusion
from radixlab.grade.ex2.play import Run


def logged_seconds(run: Run) -> dict[Cell, list[float]]:
    """Return the seconds of each cell; raise `Failed` where the log has none for a sample."""
    seconds: dict[Cell, list[float]] = defaultdict(list)
    for index, sample in enumerate(run.samples):
        truth_s = run.story.after(sample.start_s).seconds
        if truth_s is None:
            raise run.failed(
                f"{run.name(index)} did not begin at a reading of the clock, so nothing can be "
                f"computed from it.",
                index,
            )
        seconds[sample.cell].append(truth_s)
    return dict(seconds)


def conclusions(run: Run) -> list[Conclusion]:
    """Draw the conclusion of every block size and number of forks that was measured."""
    medians = {cell: median(seconds) for cell, seconds in logged_seconds(run).items()}
    copies: Counter[Cell] = Counter()
    for sample in run.samples:
        copies[sample.cell] += sum(call.copies for call in run.story.after(sample.start_s).calls)
    pairs = sorted({cell[1:3] for cell in medians})
    try:
        return [_conclusion(medians, copies, *pair) for pair in pairs]
    except KeyError as error:
        raise run.failed(f"No conclusion can be drawn: there is no sample of {error}.") from None
    except ZeroDivisionError:
        raise run.failed("No conclusion can be drawn: no eager sample copied a block.") from None


def _conclusion(
    medians: dict[Cell, float], copies: Counter[Cell], block_size: int, forks: int
) -> Conclusion:
    """Draw one conclusion; `KeyError` holds a cell that is missing."""

    def m(kind: str, phase: str) -> float:
        return medians[kind, block_size, forks, phase]

    def copied(kind: str) -> int:
        return sum(num for cell, num in copies.items() if cell[:3] == (kind, block_size, forks))

    def group_s(kind: str) -> float:
        return forks * (m(kind, "fork") + m(kind, "first")) + m(kind, "last")

    ratio = group_s("eager") / group_s("cow")
    share = copied("cow") / copied("eager")
    if not copies["cow", block_size, forks, "first"]:
        return Conclusion(block_size, forks, None, share, None, ratio)
    copy_s = m("cow", "first") - m("cow", "unshared")
    break_even = (m("eager", "fork") - m("cow", "fork")) / copy_s if copy_s else None
    return Conclusion(block_size, forks, copy_s, share, break_even, ratio)
