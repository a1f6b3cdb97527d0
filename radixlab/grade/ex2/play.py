"""Running a submission on a machine that watches, once per scene, and reading what it returns.

`benchmark` is what is graded. Where it cannot return a report yet, because its second part is not
written or raises, the samples of `take_samples` are graded for the items of the first part.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from radixlab.exercise.cow import KINDS, MAX_SAMPLES, PHASES, Sample
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
MOST, MAX_ROWS = 2**53, 1_000
"""A larger count, or more entries in a part of the report, make no sense here."""


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
        """The samples, each with fields of the right types."""
        found = rows("samples", self.returned.get("samples"), MAX_SAMPLES)
        if not found:
            raise Failed("samples is empty.", scenario=self.scene.code(self.function))
        return [_sample(index, row) for index, row in enumerate(found)]

    @cached_property
    def calls(self) -> list[int | None]:
        """Which call each sample timed, if it timed exactly one."""
        timed = [self.story.after(sample.start_s).timed for sample in self.samples]
        return [calls[0] if len(calls) == 1 else None for calls in timed]

    @cached_property
    def sampled(self) -> dict[int, Sample]:
        """By call, the sample that timed it."""
        pairs = zip(self.calls, self.samples, strict=True)
        return {at: sample for at, sample in pairs if at is not None}

    def part(self, name: str) -> list[Any]:
        """Return the rows of a part of the report; raise what `benchmark` raised instead of it."""
        if self.error:
            raise self.error
        if name not in self.returned:
            raise Failed(f"benchmark must return a CowReport; a list of samples has no {name}.")
        return rows(name, self.returned.get(name), MAX_ROWS)

    def failed(self, message: str, index: int | None = None) -> Failed:
        """Say what is wrong; of a sample, show its calls and what they should be."""
        code = self.scene.code(self.function, index)
        if index is None:
            return Failed(message, scenario=code)
        sample = self.samples[index]
        expected, actual = honest(sample), self.story.shown(sample.start_s)
        shown = {} if expected == actual else {"expected": expected, "actual": actual}
        return Failed(message, scenario=code, **shown)

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
    """Name a call by its phase, or describe a write that has none."""
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
    return f"manager.sync()\nclock()\nmanager.{verb}()\nmanager.sync()\nclock()"


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
    found = trial.memory.get(scene) or trial.memory.setdefault(scene, _run(trial, scene))
    if isinstance(found, Exception):
        raise found
    return cast(Run, found)


def _run(trial: Trial, scene: Scene) -> Run | Exception:
    """Keep what is raised as well: it would be raised again for every item and every scene."""
    error: Any = trial.memory.get("benchmark")
    for name in ("benchmark", "take_samples")[error is not None :]:
        if _defines(trial, name):
            try:
                return _measured(trial, scene, name, error)
            except BoxClosed:
                raise
            except Exception as raised:
                error = trial.memory.setdefault("benchmark", raised)
    return error or Failed("Neither `take_samples` nor `benchmark` is defined yet.")


def _defines(trial: Trial, name: str) -> bool:
    try:
        getattr(trial.learner, name)
    except (AttributeError, LearnerError):
        return False
    return True


def _measured(trial: Trial, scene: Scene, name: str, error: Exception | None) -> Run:
    machine: Any = PaperMachine(scene.seed, scene.workload)
    if scene.is_real:
        machine = EngineMachine(max(scene.forks), TOKEN_FLOATS)
        machine.max_pool_bytes = MAX_POOL_BYTES
    function = getattr(trial.learner, name)
    answer = function(machine.make_manager, machine.clock, scene.forks, scene.block_sizes)
    lists = trial.call("radixlab.exercise.cow:as_lists", answer)
    if type(lists) is not dict:
        wanted = "a CowReport" if name == "benchmark" else "a list of samples"
        raise Failed(f"{name} must return {wanted}; it returned {shown(lists)}.")
    return Run(scene, Story(machine.log), name, lists, error)


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
    for field, value, least in (
        ("block_size", block_size, 1),
        ("forks", forks, 1),
        ("copies", copies, 0),
        ("bytes", num_bytes, 0),
    ):
        whole(f"{name}.{field}", value, least, MOST)
    finite(f"{name}.start_s", start_s)
    finite(f"{name}.seconds", seconds)
    return Sample(*row)
