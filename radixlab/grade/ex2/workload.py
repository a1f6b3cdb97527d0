"""What a round of the benchmark starts from: the prompt of a group, and who else holds its blocks.

The learner's code does not choose it, so a count worked out from a rule of thumb is wrong somewhere
where a count that was taken is not.
"""

from dataclasses import dataclass
from typing import Literal

Ending = Literal["inside", "boundary", "short", "cached"]


@dataclass(frozen=True, slots=True)
class Workload:
    """The prompt of every sequence."""

    name: Ending
    story: str
    in_tree: bool = False
    """Whether the tree holds the prompt's last block too, so that nobody may write in place."""

    def prompt_tokens(self, block_size: int) -> int:
        """Length of the prompt, the same for all block sizes it can be the same for."""
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
BLOCK_SIZES = (8, 16, 32, 64)
"""What is asked for: each leaves room for the two writes of a branch."""
