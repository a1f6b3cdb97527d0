"""The third item: the eager rival was measured too, by the same calls as copy-on-write."""

from collections import Counter, defaultdict

from radixlab.exercise.cow import Kind, Sample
from radixlab.grade.ex2.log import Call
from radixlab.grade.ex2.runs import Run, run, sweeps
from radixlab.grade.items import Trial

Traffic = Counter[tuple[str | None, int]]
"""How often each phase was timed on a sequence of so many tokens."""


def check_eager(trial: Trial) -> None:
    """Compare what was timed on the eager managers with what was timed on the others."""
    for scene in sweeps(trial):
        result = run(trial, scene)
        for sample in result.samples:
            why = _wrong(result.timed(sample), sample) if sample.kind == "eager" else None
            if why:
                raise result.failed(f"{result.name(sample)} {why}.", sample)
        for phase in ("fork", "first"):
            if not any((one.kind, one.phase) == ("eager", phase) for one in result.samples):
                raise result.failed(f'There is no sample of kind "eager" and phase "{phase}".')
        traffic = _traffic(result)
        for block_size, forks in sorted({key[1:] for key in traffic}):
            _require_same(result, block_size, forks, traffic)


def _wrong(calls: list[Call], sample: Sample) -> str | None:
    """Say what a sample of the rival has wrong about what it timed, whatever its phase."""
    if not calls:
        return "times no fork and no write"
    for call in calls:
        if (call.kind, call.block_size) != ("eager", sample.block_size):
            return f"calls a manager of kind {call.kind!r} with blocks of {call.block_size}"
    copies, num_bytes = sum(call.copies for call in calls), sum(call.bytes for call in calls)
    if (copies, num_bytes) != (sample.copies, sample.bytes):
        return (
            f"says {sample.copies:,} copies and {sample.bytes:,} bytes; "
            f"the call made {copies:,} and {num_bytes:,}"
        )
    return None


def _traffic(result: Run) -> dict[tuple[Kind, int, int], Traffic]:
    traffic: dict[tuple[Kind, int, int], Traffic] = defaultdict(Counter)
    for sample in result.samples:
        calls = traffic[sample.kind, sample.block_size, sample.forks]
        calls.update((call.phase, call.num_tokens) for call in result.timed(sample))
    return dict(traffic)


def _require_same(
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
