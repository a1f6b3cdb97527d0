"""The last item: the benchmark runs on the real engine, and finds what must be so there.

No time is judged, only a relation, and that one only where the judge's own clock saw it: a noisy
machine costs nobody a point.
"""

from statistics import median

from radixlab.exercise.cow import KINDS, Kind, Sample
from radixlab.grade.ex2.engine import EngineMachine
from radixlab.grade.ex2.runs import benchmarked
from radixlab.grade.ex2.submitted import show_s
from radixlab.grade.items import Failed, Trial

FORKS, BLOCK_SIZES = (3,), (16,)
CLEARLY = 3.0
"""So many times slower must the judge see an eager fork before it expects the learner to."""
TOKEN_FLOATS = 2_048
"""8 KB a token, 4 MB a sequence: an eager fork is no trifle."""
CODE = (
    "from radixlab.grade.ex2 import EngineMachine\n"
    f"real = EngineMachine(max_forks={max(FORKS)}, token_floats={TOKEN_FLOATS})\n"
    f"report = benchmark(real.make_manager, real.clock, {FORKS}, {BLOCK_SIZES})"
)


def check_real(trial: Trial) -> None:
    """Run on the engine, where an eager fork takes longer."""
    machine = EngineMachine(max(FORKS), TOKEN_FLOATS)
    samples = benchmarked(trial, machine, FORKS, BLOCK_SIZES).samples()
    for index, sample in enumerate(samples):
        if not machine.log.timed(sample.start_s):
            raise Failed(
                f"On the real engine, samples[{index}] began at no reading of the clock before a "
                f"fork or a write.",
                scenario=CODE,
            )
    for kind in KINDS:
        if all((sample.kind, sample.phase) != (kind, "fork") for sample in samples):
            raise Failed(
                f'On the real engine there is no sample of kind "{kind}" and phase "fork".',
                scenario=CODE,
            )
    _compare(machine, samples)


def _compare(machine: EngineMachine, samples: list[Sample]) -> None:
    """Compare the forks."""
    seconds: dict[Kind, list[float]] = {"cow": [], "eager": []}
    for sample in samples:
        if sample.phase == "fork":
            seconds[sample.kind].append(sample.seconds)
    if not _is_eager_slower(machine):
        return
    lazy_s, eager_s = median(seconds["cow"]), median(seconds["eager"])
    if eager_s <= lazy_s:
        raise Failed(
            f"On the real engine, your median eager fork takes {show_s(eager_s)} and a shared one "
            f"{show_s(lazy_s)}: the one that copies the whole table should take longer.",
            scenario=CODE,
        )


def _is_eager_slower(machine: EngineMachine) -> bool:
    forks = [call for call in machine.log.calls if call.verb == "fork"]
    lazy_s, eager_s = (
        median([call.clean_s for call in forks if call.kind == kind] or [0.0]) for kind in KINDS
    )
    return eager_s > CLEARLY * lazy_s
