"""The hidden inputs: what a benchmark is asked to sweep, on which machine and with which prompts.

The learner's code chooses none of these. So a count that follows a rule of thumb is wrong on some
of them, and a count that was taken is right on all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_SIZES = (8, 16, 32, 64)
"""Each has room for the two writes of a branch."""
MOST_FORKS = 6


@dataclass(frozen=True, slots=True)
class Workload:
    """The prompt of every sequence, and who else holds its blocks."""

    name: str
    story: str
    in_tree: bool = False
    """Whether the tree holds the prompt's last block too, so that nobody may write in place."""

    def prompt_tokens(self, block_size: int) -> int:
        """Length of the prompt, the same for all block sizes where it can be the same."""
        beyond = {"boundary": 0, "eighth": 8}.get(self.name, 4)
        return block_size // 2 if self.name == "short" else 512 + beyond


WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload("inside", "the prompt ends inside a block"),
        Workload("boundary", "the prompt ends where a block ends"),
        Workload("short", "the prompt is shorter than a block"),
        Workload("cached", "the tree holds the prompt's last block as well", in_tree=True),
        Workload("eighth", "the prompt ends where a block of 8 ends, inside a larger one"),
    )
}
"""`cached` needs an engine that reuses partial blocks; the others run on the real one as well."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A machine, and what a benchmark is asked to sweep on it."""

    seed: int
    forks: tuple[int, ...]
    block_sizes: tuple[int, ...]
    workload: str = "inside"
    is_real: bool = False
    """Whether the machine is the real engine, which has no seed."""

    def code(self, function: str = "benchmark", index: int | None = None) -> str:
        """Return lines to paste below one's own code; with `index`, they end at a sample."""
        machine = "EngineMachine" if self.is_real else "PaperMachine"
        what = str(max(self.forks) if self.is_real else self.seed)
        what += "" if self.workload == "inside" else f', workload="{self.workload}"'
        name = "report" if function == "benchmark" else "samples"
        lines = [
            f"from radixlab.grade.ex2 import {machine}",
            f"machine = {machine}({what})",
            f"{name} = {function}(machine.make_manager, machine.clock, {self.forks}, "
            f"{self.block_sizes})",
        ]
        if index is not None:
            lines.append(f"{'report.' if name == 'report' else ''}samples[{index}]")
        return "\n".join(lines)


def scenes(rng: np.random.Generator) -> Iterator[Scene]:
    """Draw what is asked for, the smallest first: a failure shows the smallest scene there is."""
    for least, most in ((1, 2), (2, 5)):
        sizes = rng.permutation(BLOCK_SIZES)
        for workload, size in zip(WORKLOADS, sizes, strict=False):
            yield Scene(_seed(rng), (int(rng.integers(least, most)),), (int(size),), workload)
    few, many = int(rng.integers(2, 4)), int(rng.integers(4, MOST_FORKS + 1))
    forks, sizes = rng.permutation([few, many]), rng.permutation([8, rng.choice(BLOCK_SIZES[1:])])
    yield Scene(_seed(rng), _ints(forks), _ints(sizes), "eighth")


def real_scene(rng: np.random.Generator) -> Scene:
    """Draw what is asked for on the real engine."""
    return Scene(0, (int(rng.integers(2, 5)),), (int(rng.choice(BLOCK_SIZES)),), is_real=True)


def _ints(numbers: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1_000_000))
