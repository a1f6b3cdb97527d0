"""What the judge saw: every reading of the clock and every call, in order.

The log knows no groups and no phases: `story` finds these in it.
"""

from dataclasses import dataclass
from typing import Literal

from radixlab.exercise.cow import KINDS, MAX_CALLS, MAX_MANAGERS

Verb = Literal["start", "fork", "append", "sync", "release"]


class RefusedError(ValueError):
    """A call that no manager can answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one manager."""

    manager: int
    kind: str
    block_size: int
    verb: Verb
    sequence: int = -1
    """The sequence that was started, forked, written to or released; -1 for a sync."""
    child: int = -1
    """What a fork made."""
    copies: int = 0
    bytes: int = 0

    @property
    def is_work(self) -> bool:
        """Whether it counts for the warm-up of its manager."""
        return self.verb in ("start", "fork", "append")

    def __str__(self) -> str:
        return f"manager.{self.verb}()"


class Log:
    """Readings, as floats, and calls of one run."""

    def __init__(self) -> None:
        self.events: list[float | Call] = []
        self.num_managers = 0

    def add(self, event: float | Call) -> None:
        """Note a reading or a call; refuse one too many."""
        if len(self.events) >= MAX_CALLS:
            raise RefusedError(f"over {MAX_CALLS:,} calls in one run: take fewer samples")
        self.events.append(event)

    def manager(self, kind: object, block_size: object) -> int:
        """Give a new manager a number; refuse one that does not exist, or one too many."""
        if kind not in KINDS:
            raise RefusedError(f'there is no manager of kind {kind!r}: "cow" or "eager"')
        if type(block_size) is not int or not 4 <= block_size <= 1024:
            raise RefusedError(f"no manager has block size {block_size!r}: 4 to 1,024")
        if self.num_managers >= MAX_MANAGERS:
            raise RefusedError(f"over {MAX_MANAGERS} managers in one run: one for each combination")
        self.num_managers += 1
        return self.num_managers
