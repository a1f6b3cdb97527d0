"""Running a benchmark on a machine that watches: which ones, and what a failure shows of it.

Every check goes through its scenes from the smallest, so that the first to fail is the smallest
there is, and can be pasted as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from radixlab.exercise.cow import Sample
from radixlab.grade.ex2.engine import EngineMachine
from radixlab.grade.ex2.log import Call
from radixlab.grade.ex2.paper import PaperMachine
from radixlab.grade.ex2.submitted import Submitted
from radixlab.grade.ex2.workload import BLOCK_SIZES
from radixlab.grade.items import Failed, Trial


@dataclass(frozen=True, slots=True)
class Scene:
    """A machine of paper, and what a benchmark is asked to sweep on it."""

    seed: int
    forks: tuple[int, ...]
    block_sizes: tuple[int, ...]
    workload: str = "inside"

    def code(self, index: int | None = None) -> str:
        """Return lines to paste below one's own `benchmark`; with `index`, they end at a sample."""
        arguments = f"{self.seed}" + (
            "" if self.workload == "inside" else f', workload="{self.workload}"'
        )
        end = "" if index is None else f"\nreport.samples[{index}]"
        return (
            "from radixlab.grade.ex2 import PaperMachine\n"
            f"paper = PaperMachine({arguments})\n"
            f"report = benchmark(paper.make_manager, paper.clock, {self.forks}, "
            f"{self.block_sizes}){end}"
        )


@dataclass(frozen=True, slots=True)
class Run:
    """A scene, what the machine saw of it, and the report with its samples."""

    scene: Scene
    machine: PaperMachine
    report: Submitted
    samples: list[Sample]

    def timed(self, sample: Sample) -> list[Call]:
        """Return the forks and writes that a sample timed; empty if it began at no reading."""
        return self.machine.log.timed(sample.start_s)

    def failed(
        self, message: str, sample: Sample | None = None, expected: str = "", actual: str = ""
    ) -> Failed:
        """Say what is wrong, by default with the calls of a sample beside what they should be."""
        if sample is None:
            return Failed(message, scenario=self.scene.code())
        scenario = self.scene.code(self.samples.index(sample))
        if not expected:
            expected, actual = honest(sample), self.machine.log.story(sample.start_s)
        if expected == actual:
            return Failed(message, scenario=scenario)
        return Failed(message, scenario=scenario, expected=expected, actual=actual)

    def name(self, sample: Sample) -> str:
        """Name a sample by its place in the report and its cell."""
        return f"samples[{self.samples.index(sample)}] ({', '.join(map(str, sample.cell))})"


def honest(sample: Sample) -> str:
    """Return the calls around a sample that times what it says."""
    verb = "fork" if sample.phase == "fork" else "append"
    return f"manager.sync()\nclock()\nmanager.{verb}()\nmanager.sync()\nclock()"


def run(trial: Trial, scene: Scene) -> Run:
    """Let the learner's benchmark run on a fresh machine."""
    machine = PaperMachine(scene.seed, scene.workload)
    report = benchmarked(trial, machine, scene.forks, scene.block_sizes)
    return Run(scene, machine, report, report.samples())


def benchmarked(
    trial: Trial,
    machine: PaperMachine | EngineMachine,
    forks: tuple[int, ...],
    block_sizes: tuple[int, ...],
) -> Submitted:
    """Call the learner's benchmark, as the exercise says."""
    returned: Any = trial.learner.benchmark(machine.make_manager, machine.clock, forks, block_sizes)
    return Submitted(returned)


def sweeps(trial: Trial, workload: str = "inside") -> Iterator[Scene]:
    """Yield one number of forks at one block size, then two of each: hidden ones."""
    rng = trial.random
    sizes = tuple(int(size) for size in rng.permutation(BLOCK_SIZES)[:2])
    forks = (int(rng.integers(2, 4)), int(rng.integers(4, 7)))
    if rng.random() < 0.5:
        forks = forks[::-1]
    seed = int(rng.integers(1_000_000))
    yield Scene(seed, (1,), sizes[:1], workload)
    yield Scene(seed + 1, forks, sizes, workload)
