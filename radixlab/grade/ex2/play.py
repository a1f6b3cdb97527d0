"""Running a submission on a machine that watches, once per scene, and reading what it returns.

`benchmark` is what is graded. Where it cannot return a report yet, because its second part is not
written or raises, the samples of `take_samples` are graded for the items of the first part.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from radixlab.exercise.cow import KINDS, MAX_ROWS, MAX_SAMPLES, PHASES, Sample
from radixlab.grade.box import BoxClosed, LearnerError
from radixlab.grade.ex2.engine import EngineMachine
from radixlab.grade.ex2.paper import PaperMachine
from radixlab.grade.ex2.story import Story
from radixlab.grade.ex2.traffic import WORKLOADS, Scene, real_scene, scenes
from radixlab.grade.items import Check, Failed, Trial
from radixlab.grade.reading import finite, rows, shown, whole

Fault = tuple[str, int | None]
"""What is wrong, and the index of the sample that shows it."""
Kinds = Collection[str]
TOKEN_FLOATS, MAX_POOL_BYTES = 64, 100 << 20
"""Of the real engine: 256 bytes of keys and values a token, so that a pool takes 2 megabytes."""
MOST = 2**53
"""A number beyond is no count of this exercise."""


@dataclass(frozen=True)
class Run:
    """A scene, what the machine saw of it, and what came back."""

    scene: Scene
    story: Story
    function: str
    """What was called: `benchmark`, or `take_samples`."""
    returned: dict[str, Any]
    error: Exception | None = None
    """What `benchmark` raised, if the samples are those of `take_samples`."""

    @cached_property
    def samples(self) -> list[Sample]:
        """The samples, each of which could be one."""
        found = rows("samples", self.returned.get("samples"), MAX_SAMPLES)
        if not found:
            raise Failed("samples is empty.", scenario=self.code())
        return [_sample(index, row) for index, row in enumerate(found)]

    @cached_property
    def calls(self) -> list[int | None]:
        """Which call each sample timed, if it timed exactly one."""
        timed = [self.story.timed(sample.start_s) for sample in self.samples]
        return [calls[0] if len(calls) == 1 else None for calls in timed]

    @cached_property
    def sampled(self) -> dict[int, Sample]:
        """The sample of each call that is one."""
        pairs = zip(self.calls, self.samples, strict=True)
        return {at: sample for at, sample in pairs if at is not None}

    def logged_s(self, index: int) -> float | None:
        """Return what the log says of a sample's time: the next reading minus its first one."""
        log, start_s = self.story.log, self.samples[index].start_s
        at = log.index.get(start_s)
        if at is None:
            return None
        following = at + 1 + len(log.after(start_s))
        end_s = log.events[following] if following < len(log.events) else None
        return end_s - start_s if isinstance(end_s, float) else None

    def part(self, name: str) -> list[Any]:
        """Return the rows of a part of the report; raise what `benchmark` raised instead of it."""
        if self.error:
            raise self.error
        if name not in self.returned:
            raise Failed(f"benchmark must return a CowReport; a list of samples has no {name}.")
        return rows(name, self.returned.get(name), MAX_ROWS)

    def code(self, index: int | None = None) -> str:
        """Return lines to paste, which end at a sample if there is an index."""
        return self.scene.code(self.function, index)

    def failed(self, message: str, index: int | None = None) -> Failed:
        """Say what is wrong, where there is a sample with its calls beside what they should be."""
        code = self.code(index)
        if index is None:
            return Failed(message, scenario=code)
        start_s = self.samples[index].start_s
        expected, actual = honest(self.samples[index]), self.story.log.shown(start_s)
        if _verbs(expected) == _verbs(actual):
            return Failed(message, scenario=code)
        return Failed(message, scenario=code, expected=expected, actual=actual)

    @property
    def where(self) -> str:
        """Say where this was, to begin a sentence."""
        if self.scene.is_real:
            return "On the real engine, "
        return f"Where {WORKLOADS[self.scene.workload].story}, "

    def name(self, index: int) -> str:
        """Name a sample by its index and its cell."""
        return f"samples[{index}] ({', '.join(map(str, self.samples[index].cell))})"


def named(phase: str) -> str:
    """Name a call by its phase, or by what else it is."""
    if phase not in PHASES:
        return phase
    return "a fork" if phase == "fork" else f'a write that is "{phase}"'


def show_s(seconds: float) -> str:
    """Format a time.

    >>> show_s(4.25e-6)
    '4.25 µs'
    """
    return f"{seconds * 1e6:,.2f} µs"


def honest(sample: Sample) -> str:
    """Return the calls around a sample that times what it says."""
    verb = "fork" if sample.phase == "fork" else "append"
    return f"manager.sync()\nclock()\nmanager.{verb}(sequence)\nmanager.sync()\nclock()"


def everywhere(judge: Callable[[Run], None], is_real: bool = False) -> Check:
    """Make a check that judges the run on every machine, the smallest first."""

    def check(trial: Trial) -> None:
        if is_real:
            judge(run(trial, real_scene(trial.random)))
        for scene in scenes(trial.random):
            judge(run(trial, scene))

    return check


def run(trial: Trial, scene: Scene) -> Run:
    """Let the learner's benchmark run on a fresh machine, once for all items."""
    if scene not in trial.memory:
        trial.memory[scene] = _run(trial, scene)
    found = trial.memory[scene]
    if isinstance(found, Exception):
        raise found
    assert isinstance(found, Run)
    return found


def _run(trial: Trial, scene: Scene) -> Run | Exception:
    """Keep what is raised as well: it would be raised again for every item."""
    if not (_defines(trial, "benchmark") or _defines(trial, "take_samples")):
        return Failed("Neither `take_samples` nor `benchmark` is defined yet.")
    error: Exception | None = None
    for name in ("benchmark", "take_samples"):
        if _defines(trial, name):
            try:
                return _measured(trial, scene, name, error)
            except BoxClosed:
                raise
            except Exception as raised:
                error = error or raised
    assert error
    return error


def _defines(trial: Trial, name: str) -> bool:
    try:
        getattr(trial.learner, name)
    except (AttributeError, LearnerError):
        return False
    return True


def _measured(trial: Trial, scene: Scene, name: str, error: Exception | None) -> Run:
    machine = (
        EngineMachine(max(scene.forks), TOKEN_FLOATS, max_pool_bytes=MAX_POOL_BYTES)
        if scene.is_real
        else PaperMachine(scene.seed, scene.workload)
    )
    function = getattr(trial.learner, name)
    answer = function(machine.make_manager, machine.clock, scene.forks, scene.block_sizes)
    lists = trial.call("radixlab.exercise.cow:as_lists", answer)
    if type(lists) is not dict:
        wanted = "a CowReport" if name == "benchmark" else "a list of samples"
        raise Failed(f"{name} must return {wanted}; it returned {shown(lists)}.")
    return Run(scene, Story(machine.log), name, lists, error)


def _verbs(shown_calls: str) -> list[str]:
    return [line.partition("(")[0] for line in shown_calls.splitlines()]


def _sample(index: int, row: Any) -> Sample:
    name = f"samples[{index}]"
    if type(row) is not list or len(row) != len(Sample.__slots__):
        raise Failed(f"{name} is not a Sample; it is {shown(row)}.")
    kind, block_size, forks, phase, start_s, seconds, copies, num_bytes = row
    if kind not in KINDS or phase not in PHASES:
        raise Failed(
            f"{name} has kind {shown(kind)} and phase {shown(phase)}; "
            f"there are {', '.join(KINDS)} and {', '.join(PHASES)}."
        )
    return Sample(
        kind,
        whole(f"{name}.block_size", block_size, 1, MOST),
        whole(f"{name}.forks", forks, 1, MOST),
        phase,
        finite(f"{name}.start_s", start_s),
        finite(f"{name}.seconds", seconds),
        whole(f"{name}.copies", copies, 0, MOST),
        whole(f"{name}.bytes", num_bytes, 0, MOST),
    )
