"""The door before a manager: what the learner's code may call, and the log of all that it calls.

The log knows no groups and no phases: `story` finds these in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from radixlab.exercise.cow import KINDS, MAX_CALLS, MAX_MANAGERS, Copies

Verb = Literal["start", "fork", "append", "sync", "release"]
WORK = ("start", "fork", "append")
"""What warms a manager up."""


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


class Door:
    """See `radixlab.exercise.cow.Manager`: the learner's code sees nothing else of a manager."""

    def __init__(
        self,
        number: int,
        tables: Any,
        block_bytes: int,
        note: Callable[[Call], None],
    ) -> None:
        self._number, self._machine = number, note
        self._tables = tables  # of paper or of the engine: the same five names
        self.block_bytes = block_bytes

    def start(self) -> int:
        """Admit the prompt."""
        sequence: int = self._tables.start()
        self._note("start", sequence)
        return sequence

    def fork(self, sequence: int) -> tuple[int, Copies]:
        """Fork, and copy what an eager fork copies."""
        self._check(sequence)
        child, copies = self._tables.fork(sequence)
        self._note("fork", sequence, child, len(copies))
        return child, copies

    def append(self, sequence: int) -> Copies:
        """Write a token, after the copies it takes."""
        self._check(sequence)
        copies: Copies = self._tables.append(sequence)
        self._note("append", sequence, num_copies=len(copies))
        return copies

    def sync(self) -> None:
        """Wait for all that is queued."""
        self._note("sync")

    def release(self, sequence: int) -> None:
        """End a sequence."""
        self._check(sequence)
        self._tables.release(sequence)
        self._note("release", sequence)

    def _check(self, sequence: object) -> None:
        if type(sequence) is not int or sequence not in self._tables.running:
            raise RefusedError(f"sequence {str(sequence)[:40]} is not running")

    def _note(self, verb: Verb, sequence: int = -1, child: int = -1, num_copies: int = 0) -> None:
        what = self._number, self._tables.kind, self._tables.block_size, verb
        num_bytes = num_copies * self.block_bytes
        self._machine(Call(*what, sequence, child, num_copies, num_bytes))
