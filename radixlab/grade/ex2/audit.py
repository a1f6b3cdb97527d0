"""The first item: the medians tell what the calls cost, on a machine whose costs are known."""

from statistics import mean, median

from radixlab.exercise.cow import PHASES, WARM_UP_CALLS, Cell, Sample
from radixlab.grade.ex2.runs import Run, run, sweeps
from radixlab.grade.ex2.submitted import in_cells, number, show_s, told_value
from radixlab.grade.items import Failed, Trial

TOLERANCE = 0.05
HONEST = "manager.sync()\nclock()\nmanager.append\nmanager.sync()\nclock()"


def check_audit(trial: Trial) -> None:
    """Compare every median of copy-on-write with the true cost of the calls that were timed."""
    for scene in sweeps(trial):
        result = run(trial, scene)
        samples = result.report.samples()
        _require_cells(result, samples)
        _require_calls(result, samples)
        medians = result.report.table("median")
        for cell, found in in_cells(samples).items():
            if cell[0] == "cow":
                _compare(result, cell, found, medians.get(cell), samples)


def _require_cells(result: Run, samples: list[Sample]) -> None:
    there = {sample.cell for sample in samples}
    for block_size in result.scene.block_sizes:
        for forks in result.scene.forks:
            for phase in PHASES:
                cell = ("cow", block_size, forks, phase)
                if cell not in there:
                    raise result.failed(
                        f"benchmark was asked for forks {result.scene.forks} and block sizes "
                        f"{result.scene.block_sizes}, and took no sample of {cell}."
                    )


def _require_calls(result: Run, samples: list[Sample]) -> None:
    """Every sample begins at a reading, times a call, and none of a manager still cold."""
    for index, sample in enumerate(samples):
        if sample.kind != "cow":
            continue
        calls = result.timed(sample)
        if not calls:
            raise result.failed(
                f"samples[{index}] says it began at {sample.start_s:.9f} s, and no fork or write "
                f"follows a reading of the clock at that time.",
                (index, sample),
                HONEST,
            )
        cold = next((call for call in calls if call.is_cold), None)
        if cold:
            raise result.failed(
                f"samples[{index}] took {show_s(sample.seconds)} and is call {cold.nth} of its "
                f"manager, which is cold: its first {WARM_UP_CALLS} calls must not be samples. "
                f"Warm, this call costs {show_s(cold.clean_s)}.",
                (index, sample),
            )


def _compare(
    result: Run, cell: Cell, found: list[Sample], reported: object, samples: list[Sample]
) -> None:
    truth_s = median(_true_s(result, sample) for sample in found)
    value = number(reported)
    if value is None:
        raise result.failed(
            f"median[{cell}] must be a time in seconds, and is {told_value(reported)}."
        )
    if abs(value - truth_s) > TOLERANCE * truth_s:
        raise _explained(result, cell, found, value, truth_s, samples)


def _true_s(result: Run, sample: Sample) -> float:
    return sum(call.clean_s for call in result.timed(sample))


def _explained(
    result: Run,
    cell: Cell,
    found: list[Sample],
    value: float,
    truth_s: float,
    samples: list[Sample],
) -> Failed:
    """Say why a median is wrong, as far as the log tells."""
    said = f"median[{cell}] is {show_s(value)}, and the calls it timed cost {show_s(truth_s)}"
    for sample in found:
        why = _spoiled(result, sample, TOLERANCE * truth_s)
        if why:
            where = samples.index(sample), sample
            return result.failed(f"{said}: {why}.", where, HONEST)
    seconds = [sample.seconds for sample in found]
    if abs(median(seconds) - truth_s) <= TOLERANCE * truth_s:
        said += f". The median of your {len(seconds)} samples is {show_s(median(seconds))}"
        if abs(mean(seconds) - value) <= TOLERANCE * value:
            said += ", and what you report is their mean, which outliers drag along"
    return result.failed(f"{said}.")


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
