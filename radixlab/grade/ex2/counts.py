"""The second item: each sample counts the copies of the very call that its phase names."""

from collections.abc import Iterator

from radixlab.exercise.cow import Sample
from radixlab.grade.ex2.log import Call
from radixlab.grade.ex2.runs import Run, Scene, run
from radixlab.grade.ex2.workload import BLOCK_SIZES, WORKLOADS
from radixlab.grade.items import Trial


def check_counts(trial: Trial) -> None:
    """Compare what the samples of copy-on-write say with what was called, on four workloads."""
    for scene in _scenes(trial):
        result = run(trial, scene)
        samples = [sample for sample in result.samples if sample.kind == "cow"]
        for phase in ("fork", "first", "last"):
            if all(sample.phase != phase for sample in samples):
                raise result.failed(f'There is no sample of kind "cow" and phase "{phase}".')
        for sample in samples:
            calls = result.timed(sample)
            why = _wrong_call(calls, sample)
            if why:
                raise result.failed(f"{_where(result, sample)} {why}.", sample)
            made, said = (_copied(one.copies, one.bytes) for one in (calls[0], sample))
            if made != said:
                what = f"says {said}; the call copied {made}"
                raise result.failed(
                    f"{_where(result, sample)} {what}.", sample, expected=made, actual=said
                )


def _scenes(trial: Trial) -> Iterator[Scene]:
    """Yield each workload, small; then larger."""
    rng = trial.random
    for forks in ((1,), (int(rng.integers(2, 5)),)):
        sizes = rng.permutation(BLOCK_SIZES)
        for name, size in zip(WORKLOADS, sizes, strict=True):
            yield Scene(int(rng.integers(1_000_000)), forks, (int(size),), name)


def _where(result: Run, sample: Sample) -> str:
    return f"Where {WORKLOADS[result.scene.workload].story}, {result.name(sample)}"


def _wrong_call(calls: list[Call], sample: Sample) -> str | None:
    """Say why a sample did not time the call it names."""
    if len(calls) != 1:
        return f"times {len(calls)} forks and writes, and not one"
    call = calls[0]
    if (call.kind, call.block_size) != (sample.kind, sample.block_size):
        return f"calls a manager of kind {call.kind!r} with blocks of {call.block_size}"
    if call.phase != sample.phase:
        return "times a fork" if call.verb == "fork" else f'times a write that is "{call.phase}"'
    if call.phase in ("first", "last", "after") and call.forks != sample.forks:
        return f"was written when {call.forks} forks had been made"
    return None


def _copied(copies: int, num_bytes: int) -> str:
    return f"{copies} {'block' if copies == 1 else 'blocks'} ({num_bytes:,} bytes)"
