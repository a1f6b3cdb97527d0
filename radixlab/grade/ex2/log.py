"""What the judge saw: every reading of the clock and every call, in order.

Whatever a sample says can be compared with it, since a sample begins at a reading. The log knows
no groups and no phases: `story` finds these in it.
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
        return f"manager.{self.verb}({'' if self.verb in ('start', 'sync') else self.sequence})"


class Log:
    """Readings, as floats, and calls of one run."""

    def __init__(self) -> None:
        self.events: list[float | Call] = []
        self.index: dict[float, int] = {}
        """Of a reading among the events."""
        self.num_managers = 0

    def read(self, now_s: float) -> float:
        """Note a reading of the clock."""
        self.index[now_s] = len(self.events)
        self._add(now_s)
        return now_s

    def call(self, call: Call) -> None:
        """Note a call."""
        self._add(call)

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

    def after(self, start_s: float) -> list[Call]:
        """Return the calls between a reading and the next one; none if there is no such reading."""
        calls: list[Call] = []
        at = self.index.get(start_s, len(self.events)) + 1
        while at < len(self.events):
            event = self.events[at]
            if isinstance(event, float):
                break
            calls.append(event)
            at += 1
        return calls

    def shown(self, start_s: float) -> str:
        """Show what was called around a sample, from the call before its first reading on."""
        index = self.index.get(start_s)
        if index is None:
            return "no reading of the clock"
        before = self.events[max(0, index - 1) : index]
        names = ["clock()" if isinstance(event, float) else str(event) for event in before]
        return "\n".join([*names, "clock()", *map(str, self.after(start_s)), "clock()"])

    def _add(self, event: float | Call) -> None:
        if len(self.events) >= MAX_CALLS:
            raise RefusedError(f"over {MAX_CALLS:,} calls in one run: take fewer samples")
        self.events.append(event)
