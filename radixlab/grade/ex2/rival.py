"""The third item: the eager rival was measured too, by the same calls as copy-on-write."""

from collections import Counter, defaultdict

from radixlab.exercise.cow import Kind, Sample
from radixlab.grade.ex2.runs import Run, run, sweeps
from radixlab.grade.items import Trial

Traffic = Counter[tuple[str | None, int]]
"""How often each phase was timed on a sequence of so many tokens."""


def check_eager(trial: Trial) -> None:
    """Compare what was timed on the eager managers with what was timed on the others."""
    for scene in sweeps(trial):
        result = run(trial, scene)
        samples = result.report.samples()
        for index, sample in enumerate(samples):
            if sample.kind == "eager":
                _check(result, index, sample)
        traffic = _traffic(result, samples)
        if not any(kind == "eager" for kind, _, _ in traffic):
            raise result.failed('There is no sample of kind "eager": the rival was not measured.')
        for block_size, forks in sorted({key[1:] for key in traffic}):
            _same(result, block_size, forks, traffic)


def _check(result: Run, index: int, sample: Sample) -> None:
    calls = result.timed(sample)
    said = f"samples[{index}] ({', '.join(map(str, sample.cell))})"
    if not calls:
        raise result.failed(f"{said} times no fork and no write.", (index, sample))
    if {(call.kind, call.block_size) for call in calls} != {("eager", sample.block_size)}:
        call = calls[0]
        raise result.failed(
            f"{said} calls a manager of kind {call.kind!r} with blocks of {call.block_size}.",
            (index, sample),
            f'make_manager("eager", {sample.block_size})',
        )
    copies, num_bytes = sum(call.copies for call in calls), sum(call.bytes for call in calls)
    if (copies, num_bytes) != (sample.copies, sample.bytes):
        raise result.failed(
            f"{said} says {sample.copies:,} copies and {sample.bytes:,} bytes; the call made "
            f"{copies:,} and {num_bytes:,}.",
            (index, sample),
            "an eager fork returns a copy for every block of the table",
        )


def _traffic(result: Run, samples: list[Sample]) -> dict[tuple[Kind, int, int], Traffic]:
    traffic: dict[tuple[Kind, int, int], Traffic] = defaultdict(Counter)
    for sample in samples:
        calls = traffic[sample.kind, sample.block_size, sample.forks]
        calls.update((call.phase, call.num_tokens) for call in result.timed(sample))
    return dict(traffic)


def _same(
    result: Run, block_size: int, forks: int, traffic: dict[tuple[Kind, int, int], Traffic]
) -> None:
    cow = traffic.get(("cow", block_size, forks), Counter())
    eager = traffic.get(("eager", block_size, forks), Counter())
    for phase, num_tokens in sorted(cow | eager, key=str):
        ours, theirs = cow[phase, num_tokens], eager[phase, num_tokens]
        if ours != theirs:
            raise result.failed(
                f'Forks {forks}, block size {block_size}: copy-on-write timed "{phase}" {ours} '
                f"times on sequences of {num_tokens} tokens, eager {theirs} times. The traffic "
                f"must be the same."
            )
