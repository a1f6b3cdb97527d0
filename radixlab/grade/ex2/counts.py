"""The second item: each sample counts the copies of the very call that its phase names."""

from collections.abc import Iterator

from radixlab.exercise.cow import Sample
from radixlab.grade.ex2.log import Call
from radixlab.grade.ex2.runs import Scene, run
from radixlab.grade.ex2.workload import BLOCK_SIZES, WORKLOADS
from radixlab.grade.items import Trial


def check_counts(trial: Trial) -> None:
    """Compare what the samples of copy-on-write say with what was called, on four workloads."""
    for scene in _scenes(trial):
        result = run(trial, scene)
        samples = [sample for sample in result.samples if sample.kind == "cow"]
        if not samples:
            raise result.failed('There is no sample of kind "cow".')
        for sample in samples:
            why = _wrong(result.timed(sample), sample)
            if why:
                story = WORKLOADS[scene.workload].story
                raise result.failed(f"Where {story}, {result.name(sample)} {why}.", sample)


def _scenes(trial: Trial) -> Iterator[Scene]:
    """Yield each workload, small; then larger."""
    rng = trial.random
    for forks in ((1,), (int(rng.integers(2, 5)),)):
        sizes = rng.permutation(BLOCK_SIZES)
        for name, size in zip(WORKLOADS, sizes, strict=True):
            yield Scene(int(rng.integers(1_000_000)), forks, (int(size),), name)


def _wrong(calls: list[Call], sample: Sample) -> str | None:
    """Say what a sample has wrong about the call it timed."""
    if len(calls) != 1:
        return f"times {len(calls)} forks and writes, and not one"
    call = calls[0]
    if (call.kind, call.block_size) != (sample.kind, sample.block_size):
        return f"calls a manager of kind {call.kind!r} with blocks of {call.block_size}"
    if call.phase != sample.phase:
        return "times a fork" if call.verb == "fork" else f'times a write that is "{call.phase}"'
    if call.phase in ("first", "last", "after") and call.forks != sample.forks:
        return f"was written when {call.forks} forks had been made"
    if (call.copies, call.bytes) != (sample.copies, sample.bytes):
        said, made = _copied(sample.copies, sample.bytes), _copied(call.copies, call.bytes)
        return f"says {said}; the call copied {made}"
    return None


def _copied(copies: int, num_bytes: int) -> str:
    return f"{copies} {'block' if copies == 1 else 'blocks'} ({num_bytes:,} bytes)"
