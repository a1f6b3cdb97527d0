"""What the grader saw: every reading of the clock and every call, in order.

It can tell what a sample really timed, since a sample says at which reading it began.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from radixlab.exercise.cow import KINDS, MAX_CALLS, Kind

Verb = Literal["start", "fork", "append", "sync", "release"]


class RefusedError(ValueError):
    """A call that no manager can answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one manager."""

    manager: int
    kind: Kind
    block_size: int
    verb: Verb
    phase: str | None = None
    """What a fork or write was, in the words of `Sample.phase`; None for the other verbs."""
    forks: int = 0
    """How many forks its group had made by then."""
    num_tokens: int = 0
    copies: int = 0
    bytes: int = 0
    clean_s: float = 0.0
    """What it costs without noise; on the real engine, what a fork took by the grader's clock."""
    is_cold: bool = False
    nth: int = 0
    """Which of its manager's calls of `start`, `fork` and `append` it was, from 1."""
    queued_s: float = 0.0
    """Work that its manager had not finished when it began."""

    def __str__(self) -> str:
        return f"manager.{self.verb}()"


class Log:
    """Readings and calls of one run."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._ranks: dict[float, int] = {}
        self._num_calls_before: list[int] = []

    def read(self, now_s: float) -> float:
        """Note a reading of the clock."""
        self._budget()
        self._ranks[now_s] = len(self._num_calls_before)
        self._num_calls_before.append(len(self.calls))
        return now_s

    def add(self, call: Call) -> None:
        """Note a call."""
        self._budget()
        self.calls.append(call)

    def between(self, start_s: float) -> list[Call] | None:
        """Return the calls from this reading to the next one; None if there is no such reading."""
        rank = self._ranks.get(start_s)
        if rank is None:
            return None
        first, *more = self._num_calls_before[rank : rank + 2]
        return self.calls[first : more[0] if more else None]

    def timed(self, start_s: float) -> list[Call]:
        """Return the forks and writes among these."""
        return [call for call in self.between(start_s) or () if call.verb in ("fork", "append")]

    def story(self, start_s: float) -> str:
        """Tell what was called around a sample, from the call before its first reading on."""
        calls = self.between(start_s)
        if calls is None:
            return "no reading of the clock"
        before = self.calls[: self._num_calls_before[self._ranks[start_s]]][-1:]
        return "\n".join(map(str, [*before, "clock()", *calls, "clock()"]))

    def _budget(self) -> None:
        if len(self.calls) + len(self._num_calls_before) >= MAX_CALLS:
            raise RefusedError(f"over {MAX_CALLS:,} calls in one run: take fewer samples")


def check_kind(kind: object, block_size: object) -> None:
    """Refuse managers that do not exist."""
    if kind not in KINDS:
        raise RefusedError(f'there is no manager of kind {kind!r}: "cow" or "eager"')
    if type(block_size) is not int or not 4 <= block_size <= 1024:
        raise RefusedError(f"no manager has block size {block_size!r}: 4 to 1,024")


def check_runs(sequence: object, running: Mapping[int, object]) -> None:
    """Refuse a sequence that is not there."""
    if type(sequence) is not int or sequence not in running:
        raise RefusedError(f"sequence {sequence!r} is not running ({len(running)} are)")
