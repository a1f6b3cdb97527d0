"""An assembler for the small programs that the kernel runs at every system call.

Such a program (seccomp, in classic BPF) loads 32 bits of what it is shown, tests them, and jumps
forward until it gives a verdict. Jumps are written to labels here; counting is left to the
assembler, because one wrong offset would open a door without anybody noticing.

>>> program = Program()
>>> program.load(0)
>>> program.jump_if(Condition.EQUAL, 39, "good")
>>> program.give(0)
>>> program.label("good")
>>> program.give(1)
>>> [[int(part) for part in step] for step in program.assembled()]
[[32, 0, 0, 0], [21, 0, 1, 39], [5, 0, 0, 1], [6, 0, 0, 0], [6, 0, 0, 1]]
"""

from enum import IntEnum
from typing import NamedTuple

LOAD, JUMP, GIVE = 0x20, 0x05, 0x06  # of <linux/bpf_common.h>


class Condition(IntEnum):
    """A comparison of the loaded 32 bits with a value."""

    EQUAL = 0x15
    AT_LEAST = 0x35
    HAS_A_BIT_OF = 0x45


class Instruction(NamedTuple):
    """One step as the kernel reads it; a test says how many steps to skip in either case."""

    code: int
    if_so: int
    if_not: int
    value: int


class Program:
    """A program under construction."""

    def __init__(self) -> None:
        self._steps: list[Instruction | str] = []
        self._labels: dict[str, int] = {}

    def load(self, offset: int) -> None:
        """Load the 32 bits at an offset of what the program is shown."""
        self._steps.append(Instruction(LOAD, 0, 0, offset))

    def jump_if(self, test: Condition, value: int, label: str) -> None:
        """Go on at a label if the test holds.

        A test can skip 255 steps at most; so it skips, or does not, one jump of any length.
        """
        self._steps += [Instruction(test, 0, 1, value), label]

    def jump_unless(self, test: Condition, value: int, label: str) -> None:
        """Go on at a label if the test does not hold."""
        self._steps += [Instruction(test, 1, 0, value), label]

    def jump(self, label: str) -> None:
        """Go on at a label."""
        self._steps.append(label)

    def new_label(self) -> str:
        """Return a name that no other label has."""
        return f"after {len(self._steps)}"

    def label(self, name: str) -> None:
        """Name the next step."""
        assert name not in self._labels, f"two labels {name!r}"
        self._labels[name] = len(self._steps)

    def give(self, verdict: int) -> None:
        """End with a verdict."""
        self._steps.append(Instruction(GIVE, 0, 0, verdict))

    def assembled(self) -> list[Instruction]:
        """Return the steps, every label replaced by the number of steps to skip."""
        return [
            self._long_jump(here, step) if isinstance(step, str) else step
            for here, step in enumerate(self._steps)
        ]

    def _long_jump(self, here: int, label: str) -> Instruction:
        skipped = self._labels[label] - here - 1
        assert skipped >= 0, f"a jump back to {label!r}: the kernel allows none"
        return Instruction(JUMP, 0, 0, skipped)
