"""What happened in a run, read from its log alone: groups, phases, and which calls were cold.

A *family* is a sequence that was started and all that was forked from it. It knows no samples.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from radixlab.grade.ex2.log import Call, Log

EARLY = "a write to a sequence that is forked later"
MORE = "a third write of a branch"


@dataclass(slots=True, eq=False)
class Family:
    """A sequence that was started and all that was forked from it."""

    manager: int
    started_at: int
    """Index of its start among the events of the log."""
    running: set[int]
    calls: list[int] = field(default_factory=list)
    """Indices of its forks and writes."""
    forks: int = 0
    ended_at: int | None = None
    """Index of its last release, if nothing of it runs any more."""


class Story:
    """Facts about the forks and writes of a run, each known by its index among the log's events."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.family: dict[int, Family] = {}
        """Of each fork and write."""
        self.families: dict[int, list[Family]] = defaultdict(list)
        """Of each manager, in the order of their starts."""
        self.phase: dict[int, str] = {}
        """In the words of `Sample.phase`, or what else a write was."""
        self.nth: dict[int, int] = {}
        """Which of its manager's calls of `start`, `fork` and `append` each was, from 1."""
        self.is_quiet: dict[int, bool] = {}
        """Whether nothing of its manager was queued when it was called."""
        self._read()
        for families in self.families.values():
            for family in families:
                self.phase.update(_phases(family, log))

    def call(self, index: int) -> Call:
        """Return the fork or write at an index."""
        event = self.log.events[index]
        assert isinstance(event, Call)
        return event

    def timed(self, start_s: float) -> list[int]:
        """Return the forks and writes between a reading and the next one, by their indices."""
        at = self.log.index.get(start_s)
        if at is None:
            return []
        around = range(at + 1, at + 1 + len(self.log.after(start_s)))
        return [index for index in around if index in self.family]

    def was_timed(self, index: int) -> bool:
        """Tell whether a call stands alone between two readings of the clock."""
        events = self.log.events
        after = index + 1
        while after < len(events) and getattr(events[after], "verb", "") == "sync":
            after += 1
        is_ended = after < len(events) and isinstance(events[after], float)
        return is_ended and isinstance(events[index - 1], float)

    def _read(self) -> None:
        of: dict[tuple[int, int], Family] = {}
        num_calls: Counter[int] = Counter()
        is_quiet: dict[int, bool] = defaultdict(lambda: True)
        for index, call in _calls(self.log):
            sequence = call.manager, call.sequence
            if call.is_work:
                num_calls[call.manager] += 1
            if call.verb == "start":
                of[sequence] = Family(call.manager, index, {call.sequence})
                self.families[call.manager].append(of[sequence])
            elif call.verb == "release":
                family = of[sequence]
                family.running.remove(call.sequence)
                family.ended_at = None if family.running else index
            elif call.verb in ("fork", "append"):
                family = self.family[index] = of[sequence]
                family.calls.append(index)
                self.nth[index], self.is_quiet[index] = (
                    num_calls[call.manager],
                    is_quiet[call.manager],
                )
                if call.verb == "fork":
                    family.forks += 1
                    family.running.add(call.child)
                    of[call.manager, call.child] = family
            is_quiet[call.manager] = call.verb == "sync"


def _calls(log: Log) -> Iterator[tuple[int, Call]]:
    return ((index, event) for index, event in enumerate(log.events) if isinstance(event, Call))


def _phases(family: Family, log: Log) -> Iterator[tuple[int, str]]:
    """Name the phase of each call of a family, whose forks are all known by now."""
    writes: Counter[int] = Counter()
    forks_to_come, branches_to_write = family.forks, family.forks + 1
    for index in family.calls:
        call = log.events[index]
        assert isinstance(call, Call)
        if call.verb == "fork":
            forks_to_come -= 1
            yield index, "fork"
            continue
        writes[call.sequence] += 1
        if family.forks == 0:
            yield index, "unshared"
        elif forks_to_come:
            yield index, EARLY
        elif writes[call.sequence] == 1:
            branches_to_write -= 1
            yield index, "first" if branches_to_write else "last"
        else:
            yield index, "after" if writes[call.sequence] == 2 else MORE
