"""The audit: the samples of both kinds are compared with the log, rule by rule.

A rule is a function that returns its first fault. Its name is the rule's id, and its docstring is
the sentence that a learner reads. An item requires the rules that belong to it, so a fault costs
only the items that it concerns.
"""

from collections import Counter
from collections.abc import Callable
from functools import wraps
from itertools import product
from math import isclose

from radixlab.exercise.cow import KINDS, MIN_SAMPLES, PHASES, WARM_UP_CALLS, Sample
from radixlab.grade.ex2 import groups
from radixlab.grade.ex2.play import Fault, Kinds, Run, named, show_s

Rule = Callable[[Run, Kinds], Fault | None]


def audit(run: Run) -> None:
    """Check that every sample of both kinds times one warm call, and that none is left out."""
    require(run, ("cow",), sweep)
    require(run, KINDS, reading, one_call, seconds, queue, warm, groups.one_manager, groups.kept)


def counts(run: Run) -> None:
    """Check that samples of copy-on-write are what they say, whatever the prompt."""
    require(run, ("cow",), phases, label, copies, groups.group)


def eager(run: Run) -> None:
    """Check the same of the rival, which must be measured as often."""
    require(run, ("eager",), phases, label, copies, groups.group, groups.as_often)


def real(run: Run) -> None:
    """Check that a run, on the real engine too, never needs more of the pool than two groups."""
    require(run, KINDS, phases, reading, seconds, groups.released)


def require(run: Run, kinds: Kinds, *rules: Rule) -> None:
    """Raise `Failed` for the first fault in samples of these kinds."""
    for rule in rules:
        fault = rule(run, kinds)
        if fault:
            what, index = fault
            name = rule.__name__.replace("_", " ")
            raise run.failed(f"{what}. Rule “{name}”: {rule.__doc__}", index)


def each_sample(say: Callable[[Run, int, Sample], str | None]) -> Rule:
    """Turn a function that says what is wrong with one sample into a rule."""

    @wraps(say)
    def rule(run: Run, kinds: Kinds) -> Fault | None:
        for index, sample in enumerate(run.samples):
            what = say(run, index, sample) if sample.kind in kinds else None
            if what:
                return f"{run.where}{run.name(index)} {what}", index
        return None

    return rule


@each_sample
def reading(run: Run, index: int, sample: Sample) -> str | None:
    """Begin a sample at a reading of the clock, and end it at the next one."""
    if run.story.after(sample.start_s).seconds is not None:
        return None
    return f"says it began at {sample.start_s:.9f} s; the clock showed no such time"


@each_sample
def one_call(run: Run, index: int, sample: Sample) -> str | None:
    """Between the two readings, call fork or append once, then sync, and nothing else."""
    interval = run.story.after(sample.start_s)
    calls, work = interval.calls, interval.others
    if len(work) != 1 or work[0].verb not in ("fork", "append"):
        timed = ", ".join(call.verb for call in work[:6])
        return f"times {f'{len(work)} calls ({timed})' if work else 'no call at all'}"
    if calls[0].verb == "sync":
        return "waits for older work while the clock runs"
    if len(calls) == 1:
        return "ends before the work is done"
    if any(call.manager != work[0].manager for call in calls):
        return "times another manager's sync too"
    return None


@each_sample
def seconds(run: Run, index: int, sample: Sample) -> str | None:
    """Report the next reading minus start_s."""
    truth_s = run.story.after(sample.start_s).seconds
    if truth_s is None or isclose(sample.seconds, truth_s, rel_tol=1e-6):
        return None
    return f"says {show_s(sample.seconds)}; the next reading came {show_s(truth_s)} later"


@each_sample
def queue(run: Run, index: int, sample: Sample) -> str | None:
    """Call sync before the first reading, so that no older work is queued."""
    call = run.calls[index]
    if call is None or run.story.is_quiet[call]:
        return None
    return "began while older work of its manager was queued"


@each_sample
def warm(run: Run, index: int, sample: Sample) -> str | None:
    """Take no sample of a manager's first 30 calls: it is cold."""
    call = run.calls[index]
    if call is None or run.story.nth[call] > WARM_UP_CALLS:
        return None
    return f"took {show_s(sample.seconds)} and is call {run.story.nth[call]} of its manager"


@each_sample
def label(run: Run, index: int, sample: Sample) -> str | None:
    """Give a sample the kind, block size, forks and phase of the call that it timed."""
    at = run.calls[index]
    if at is None:
        return f"times {len(run.story.after(sample.start_s).timed)} forks and writes, not 1"
    call, phase = run.story.call(at), run.story.phase[at]
    if (call.kind, call.block_size) != (sample.kind, sample.block_size):
        return f'calls a manager of kind "{call.kind}" with blocks of {call.block_size}'
    if phase != sample.phase:
        return f"times {named(phase)}"
    forks = run.story.family[at].forks
    if forks and sample.forks != forks:
        return f"times a call in a group with {forks} forks"
    return None


@each_sample
def copies(run: Run, index: int, sample: Sample) -> str | None:
    """Report the copies that the call returned, and their bytes."""
    at = run.calls[index]
    made = None if at is None else run.story.call(at)
    if made is None or (made.copies, made.bytes) == (sample.copies, sample.bytes):
        return None
    said, true = (
        f"{one.copies:,} {'block' if one.copies == 1 else 'blocks'} ({one.bytes:,} bytes)"
        for one in (sample, made)
    )
    return f"says {said}; the call copied {true}"


def sweep(run: Run, kinds: Kinds) -> Fault | None:
    """Measure every combination that was asked for, and no other."""
    scene, there = run.scene, {sample.cell for sample in run.samples if sample.kind in kinds}
    asked = set(product(kinds, scene.block_sizes, scene.forks, PHASES))
    if asked == there:
        return None
    what = f"was asked for forks {scene.forks} and block sizes {scene.block_sizes}"
    if asked - there:
        return f"The benchmark {what}; there is no sample of {min(asked - there)}", None
    return f"The benchmark {what}, not for {min(there - asked)}", None


def phases(run: Run, kinds: Kinds) -> Fault | None:
    """Measure every phase of both kinds."""
    there = {(sample.kind, sample.phase) for sample in run.samples}
    for kind, phase in product(kinds, PHASES):
        if (kind, phase) not in there:
            return f'There is no sample of kind "{kind}" and phase "{phase}"', None
    return None


def enough(run: Run, kinds: Kinds) -> Fault | None:
    """Take at least 15 samples in every cell."""
    counts = Counter(sample.cell for sample in run.samples if sample.kind in kinds)
    few = {cell: count for cell, count in counts.items() if count < MIN_SAMPLES}
    return (f"n[{min(few)}] is {few[min(few)]}", None) if few else None


def order(run: Run, kinds: Kinds) -> Fault | None:
    """List each sample once, in the order taken."""
    for index in range(1, len(run.samples)):
        before_s, start_s = (run.samples[at].start_s for at in (index - 1, index))
        if start_s <= before_s:
            return (
                f"{run.name(index)} began at {start_s:.9f} s and is listed after one that began "
                f"at {before_s:.9f} s"
            ), index
    return None
