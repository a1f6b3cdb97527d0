"""The first item: the medians tell what the calls cost, on a machine whose costs are known."""

from itertools import product
from statistics import mean, median

from radixlab.exercise.cow import PHASES, WARM_UP_CALLS, Cell, Sample
from radixlab.grade.ex2.runs import Run, run, sweeps
from radixlab.grade.ex2.submitted import in_cells, number, show_s, told_value
from radixlab.grade.items import Trial

TOLERANCE = 0.05


def check_audit(trial: Trial) -> None:
    """Compare every median of copy-on-write with the true cost of the calls that were timed."""
    for scene in sweeps(trial):
        result = run(trial, scene)
        _require_cells(result)
        for sample in result.samples:
            if sample.kind == "cow":
                _require_warm_call(result, sample)
        medians = result.report.table("median")
        for cell, samples in in_cells(result.samples).items():
            if cell[0] == "cow":
                _compare(result, cell, samples, medians.get(cell))


def _require_cells(result: Run) -> None:
    scene, there = result.scene, {sample.cell for sample in result.samples}
    for block_size, forks, phase in product(scene.block_sizes, scene.forks, PHASES):
        cell = ("cow", block_size, forks, phase)
        if cell not in there:
            raise result.failed(
                f"benchmark was asked for forks {scene.forks} and block sizes "
                f"{scene.block_sizes}, and took no sample of {cell}."
            )


def _require_warm_call(result: Run, sample: Sample) -> None:
    calls = result.timed(sample)
    if not calls:
        raise result.failed(
            f"{result.name(sample)} says it began at {sample.start_s:.9f} s, and no fork or write "
            f"follows a reading of the clock at that time.",
            sample,
        )
    for call in calls:
        if call.is_cold:
            raise result.failed(
                f"{result.name(sample)} took {show_s(sample.seconds)} and is call {call.nth} of "
                f"its manager, which is cold: its first {WARM_UP_CALLS} calls must not be samples. "
                f"Warm, this call costs {show_s(call.clean_s)}.",
                sample,
            )


def _compare(result: Run, cell: Cell, samples: list[Sample], reported: object) -> None:
    truth_s = median(sum(call.clean_s for call in result.timed(sample)) for sample in samples)
    value = number(reported)
    if value is None:
        raise result.failed(
            f"median[{cell}] must be a time in seconds, and is {told_value(reported)}."
        )
    if _is_close(value, truth_s):
        return
    said = f"median[{cell}] is {show_s(value)}, and the calls it timed cost {show_s(truth_s)}"
    for sample in samples:
        why = _spoiled(result, sample, TOLERANCE * truth_s)
        if why:
            raise result.failed(f"{said}: {why}.", sample)
    raise result.failed(f"{said}.{_misreported([s.seconds for s in samples], value, truth_s)}")


def _spoiled(result: Run, sample: Sample, queued_s: float) -> str | None:
    """Say what is wrong with the way a sample was taken, if it shows in its calls."""
    calls = result.machine.log.between(sample.start_s) or []
    others = [call.verb for call in calls if call.verb in ("start", "release")]
    if calls[-1].verb != "sync":
        return "the clock was read before the work was done: sync() comes first"
    if others:
        return f"{others[0]} was timed as well"
    if calls[0].verb == "sync" or calls[0].queued_s > queued_s:
        return "older work was not done when this sample began: sync(), and then the clock"
    return None


def _misreported(seconds: list[float], value: float, truth_s: float) -> str:
    """Say that the samples were right, if they were, and what became of them."""
    if not _is_close(median(seconds), truth_s):
        return ""
    said = f" The median of your {len(seconds)} samples is {show_s(median(seconds))}"
    if _is_close(value, mean(seconds)):
        said += "; what you report is their mean, which outliers drag along"
    return f"{said}."


def _is_close(value: float, truth_s: float) -> bool:
    return abs(value - truth_s) <= TOLERANCE * truth_s
