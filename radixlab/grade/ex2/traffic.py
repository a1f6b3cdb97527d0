"""The hidden inputs: what a benchmark is asked to sweep, on which machine and with which prompts.

The learner's code chooses none of it, so a count that is worked out from a rule of thumb is wrong
somewhere, and a count that was taken is right everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

Ending = Literal["inside", "boundary", "short", "cached"]
BLOCK_SIZES = (8, 16, 32, 64)
"""Each has room for the two writes of a branch."""
MOST_FORKS = 6


@dataclass(frozen=True, slots=True)
class Workload:
    """The prompt of every sequence, and who else holds its blocks."""

    name: Ending
    story: str
    in_tree: bool = False
    """Whether the tree holds the prompt's last block too, so that nobody may write in place."""

    def prompt_tokens(self, block_size: int) -> int:
        """Length of the prompt, the same for all block sizes where it can be the same."""
        if self.name == "boundary":
            return 512
        return block_size // 2 if self.name == "short" else 512 + 4


WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload("inside", "the prompt ends inside a block"),
        Workload("boundary", "the prompt ends where a block ends"),
        Workload("short", "the prompt is shorter than a block"),
        Workload("cached", "the tree holds the prompt's last block as well", in_tree=True),
    )
}
"""The first three work on the real engine as well; the last is one that reuses partial blocks."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A machine, and what a benchmark is asked to sweep on it."""

    seed: int
    forks: tuple[int, ...]
    block_sizes: tuple[int, ...]
    workload: str = "inside"
    is_real: bool = False
    """Whether the machine is the real engine, which has no seed."""

    def code(self, index: int | None = None) -> str:
        """Return lines to paste below one's own `benchmark`; with `index`, they end at a sample."""
        name, first = (
            ("EngineMachine", max(self.forks)) if self.is_real else ("PaperMachine", self.seed)
        )
        more = "" if self.workload == "inside" else f', workload="{self.workload}"'
        end = "" if index is None else f"\nreport.samples[{index}]"
        return (
            f"from radixlab.grade.ex2 import {name}\n"
            f"machine = {name}({first}{more})\n"
            f"report = benchmark(machine.make_manager, machine.clock, {self.forks}, "
            f"{self.block_sizes}){end}"
        )


def scenes(rng: np.random.Generator) -> Iterator[Scene]:
    """Draw what is asked for, the smallest first: a failure shows the smallest scene there is."""
    for least, most in ((1, 2), (2, 5)):
        sizes = rng.permutation(BLOCK_SIZES)
        for workload, size in zip(WORKLOADS, sizes, strict=True):
            yield Scene(_seed(rng), (int(rng.integers(least, most)),), (int(size),), workload)
    few, many = int(rng.integers(2, 4)), int(rng.integers(4, MOST_FORKS + 1))
    forks = (few, many) if rng.random() < 0.5 else (many, few)
    one, other, *_ = map(int, rng.permutation(BLOCK_SIZES))
    yield Scene(_seed(rng), forks, (one, other), str(rng.choice(["inside", "cached"])))


def real_scene(rng: np.random.Generator) -> Scene:
    """Draw what is asked for on the real engine."""
    return Scene(0, (int(rng.integers(2, 5)),), (int(rng.choice(BLOCK_SIZES)),), is_real=True)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1_000_000))
