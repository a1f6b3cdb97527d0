"""The fifth item: the conclusions follow from the learner's own samples.

Medians are taken from the samples or, where the report has others, from the report: a wrong median
costs the points of the median and not these as well.
"""

from collections.abc import Iterator, Mapping
from math import isclose, isnan, nan
from statistics import median
from typing import Any

from radixlab.exercise.cow import Cell, Conclusion, Sample
from radixlab.grade.ex2.runs import Run, Scene, run, sweeps
from radixlab.grade.ex2.submitted import in_cells, number, show_s
from radixlab.grade.items import Failed, Trial

Combination = tuple[int, int]
"""Block size and number of forks."""
FACTS = ("copy_s", "copied_share", "break_even_blocks", "eager_over_cow")


def check_conclusions(trial: Trial) -> None:
    """Draw every conclusion again, also where nothing is copied."""
    for scene in (*sweeps(trial), *_small(trial)):
        result = run(trial, scene)
        found = _by_combination(result)
        asked = {(sample.block_size, sample.forks) for sample in result.samples}
        if found.keys() != asked:
            missing, extra = sorted(asked - found.keys()), sorted(found.keys() - asked)
            raise result.failed(
                f"There must be one conclusion for every (block_size, forks) that was measured; "
                f"missing: {missing}, too many: {extra}."
            )
        for combination in sorted(asked):
            _compare(result, found[combination])


def _small(trial: Trial) -> Iterator[Scene]:
    for workload in ("boundary", "short"):
        yield next(sweeps(trial, workload))


def _by_combination(result: Run) -> dict[Combination, Conclusion]:
    found: dict[Combination, Conclusion] = {}
    for conclusion in result.report.conclusions():
        combination = conclusion.block_size, conclusion.forks
        if combination in found:
            raise result.failed(f"There are two conclusions for {combination}.")
        found[combination] = conclusion
    return found


def _compare(result: Run, found: Conclusion) -> None:
    cells = in_cells(result.samples)
    measured = {cell: median(s.seconds for s in some) for cell, some in cells.items()}
    combination = found.block_size, found.forks
    try:
        right = conclusion(measured, cells, *combination)
    except KeyError as error:
        raise result.failed(
            f"The conclusion for {combination} cannot be drawn: there is no sample of {error}."
        ) from None
    also = conclusion(_reported(result, measured, cells), cells, *combination)
    for fact in FACTS:
        value = getattr(found, fact)
        if not any(_agree(value, getattr(one, fact)) for one in (right, also)):
            raise _wrong(result, combination, fact, getattr(right, fact), value)


def _reported(
    result: Run, measured: Mapping[Cell, float], cells: Mapping[Cell, list[Sample]]
) -> dict[Cell, float]:
    """Return the report's medians, where they lie among the samples, and else the right ones."""
    try:
        table = result.report.table("median")
    except Failed:
        return dict(measured)
    medians = dict(measured)
    for cell, samples in cells.items():
        value, seconds = number(table.get(cell)), [sample.seconds for sample in samples]
        if value is not None and min(seconds) <= value <= max(seconds):
            medians[cell] = value
    return medians


def conclusion(
    medians: Mapping[Cell, float], cells: Mapping[Cell, list[Sample]], block_size: int, forks: int
) -> Conclusion:
    """Draw the conclusion for one block size and number of forks.

    The share is NaN if eager copied nothing. Raises `KeyError` with a cell that is missing.
    """

    def m(kind: str, phase: str) -> float:
        return medians[kind, block_size, forks, phase]

    def copied(kind: str) -> int:
        some = [found for cell, found in cells.items() if cell[:3] == (kind, block_size, forks)]
        return sum(sample.copies for found in some for sample in found)

    def group_s(kind: str) -> float:
        return forks * m(kind, "fork") + forks * m(kind, "first") + m(kind, "last")

    copy_s = break_even = None
    share = copied("cow") / copied("eager") if copied("eager") else nan
    if any(sample.copies for sample in cells["cow", block_size, forks, "first"]):
        copy_s = m("cow", "first") - m("cow", "unshared")
        break_even = (m("eager", "fork") - m("cow", "fork")) / copy_s if copy_s else None
    return Conclusion(
        block_size,
        forks,
        copy_s,
        share,
        break_even,
        group_s("eager") / group_s("cow"),
    )


def _agree(value: float | None, right: float | None) -> bool:
    if value is None or right is None:
        return value is right
    return isnan(right) or isclose(value, right, rel_tol=1e-6)


def _wrong(result: Run, combination: Combination, fact: str, right: Any, found: Any) -> Failed:
    expected, actual = (_told(fact, value) for value in (right, found))
    return Failed(
        f"{fact} of {combination} is {actual}, and your own samples say {expected}.",
        scenario=f"{result.scene.code()}\nreport.conclusions",
        expected=f"{fact} = {expected}",
        actual=f"{fact} = {actual}",
    )


def _told(fact: str, value: float | None) -> str:
    if value is None:
        return "None"
    return show_s(value) if fact == "copy_s" else f"{value:.4g}"
