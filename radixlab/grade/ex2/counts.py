"""The second item: each sample counts the copies of the very call that its phase names."""

from collections.abc import Iterator

from radixlab.exercise.cow import Sample
from radixlab.grade.ex2.log import Call
from radixlab.grade.ex2.runs import Run, Scene, run
from radixlab.grade.ex2.workload import BLOCK_SIZES, WORKLOADS
from radixlab.grade.items import Failed, Trial


def check_counts(trial: Trial) -> None:
    """Compare what the samples of copy-on-write say with what was called, on four workloads."""
    for scene in _scenes(trial):
        result = run(trial, scene)
        samples = [
            (index, sample)
            for index, sample in enumerate(result.report.samples())
            if sample.kind == "cow"
        ]
        if not samples:
            raise result.failed('There is no sample of kind "cow".')
        for index, sample in samples:
            _check(result, index, sample)


def _scenes(trial: Trial) -> Iterator[Scene]:
    """Yield each workload, small; then larger."""
    rng = trial.random
    for forks in ((1,), (int(rng.integers(2, 5)),)):
        sizes = rng.permutation(BLOCK_SIZES)
        for name, size in zip(WORKLOADS, sizes, strict=True):
            yield Scene(int(rng.integers(1_000_000)), forks, (int(size),), name)


def _check(result: Run, index: int, sample: Sample) -> None:
    calls = result.timed(sample)
    if len(calls) != 1:
        raise _failed(result, index, sample, f"times {len(calls)} forks and writes, and not one")
    call = calls[0]
    if (call.kind, call.block_size) != (sample.kind, sample.block_size):
        raise _failed(
            result,
            index,
            sample,
            f"calls a manager of kind {call.kind!r} with blocks of {call.block_size}",
        )
    if call.phase != sample.phase:
        why = f'says "{sample.phase}", and times {_named(call)}'
        raise _failed(result, index, sample, why)
    if call.phase in ("first", "last", "after") and call.forks != sample.forks:
        why = f"says {sample.forks} forks, and {call.forks} had been made when the branch wrote"
        raise _failed(result, index, sample, why)
    if (call.copies, call.bytes) != (sample.copies, sample.bytes):
        why = (
            f"says {_copied(sample.copies, sample.bytes)}; "
            f"the call copied {_copied(call.copies, call.bytes)}"
        )
        raise _failed(result, index, sample, why)


def _named(call: Call) -> str:
    if call.verb == "fork":
        return "a fork"
    return f'a write that is "{call.phase}"'


def _copied(copies: int, num_bytes: int) -> str:
    return f"{copies} {'block' if copies == 1 else 'blocks'} ({num_bytes:,} bytes)"


def _failed(result: Run, index: int, sample: Sample, why: str) -> Failed:
    story = WORKLOADS[result.scene.workload].story
    verb = "fork" if sample.phase == "fork" else "append"
    expected = f"clock()\nmanager.{verb}\nmanager.sync()\nclock()"
    message = f"Where {story}, samples[{index}] ({', '.join(map(str, sample.cell))}) {why}."
    return result.failed(message, (index, sample), expected)
