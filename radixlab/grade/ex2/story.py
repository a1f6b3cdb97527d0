"""What happened in a run, read from its log alone: groups, phases, and what each reading timed.

A *family* is a sequence that was started and all that was forked from it. This file knows no
samples. Calls are known by their indices among the events of the log.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from radixlab.grade.ex2.door import WORK, Call, Log

EARLY = "a write to a sequence that is forked later"
MORE = "a third write of a branch"


@dataclass(slots=True, eq=False)
class Family:
    """A sequence that was started and all that was forked from it."""

    manager: int
    started_at: int
    running: set[int]
    calls: list[int] = field(default_factory=list)
    """Its forks and writes."""
    forks: int = 0
    ended_at: int | None = None
    """When its last sequence was released; None while something of it runs."""

    def runs_at(self, at: int) -> bool:
        """Tell whether something of it still runs then."""
        return self.ended_at is None or self.ended_at > at


@dataclass(slots=True)
class Interval:
    """From one reading of the clock to the next."""

    at: int
    calls: list[Call] = field(default_factory=list)
    timed: list[int] = field(default_factory=list)
    """Its forks and writes."""
    seconds: float | None = None
    """Until the next reading, if there is one."""

    @property
    def others(self) -> list[Call]:
        """Its calls except those of sync."""
        return [call for call in self.calls if call.verb != "sync"]


class Story:
    """Facts about the calls of a run."""

    def __init__(self, log: Log) -> None:
        self._events = log.events
        self.intervals: dict[float, Interval] = {}
        """By the reading that each begins with."""
        self.family: dict[int, Family] = {}
        """Of each fork and write."""
        self.families: dict[int, list[Family]] = defaultdict(list)
        """Of each manager, in the order of their starts."""
        self.phase: dict[int, str] = {}
        """Of each fork and write: a `Sample.phase`, or `EARLY` or `MORE`."""
        self.nth: dict[int, int] = {}
        """Its number among its manager's calls of `start`, `fork` and `append`, from 1."""
        self.is_quiet: dict[int, bool] = {}
        """Whether nothing of its manager was queued when it was called."""
        self.alone: set[int] = set()
        """Forks and writes that are the only one between two readings of the clock."""
        self._read()
        for family in {*self.family.values()}:
            self.phase.update(self._phases(family))

    def call(self, at: int) -> Call:
        """Return the call at an index."""
        call = self._events[at]
        assert isinstance(call, Call)
        return call

    def after(self, start_s: float) -> Interval:
        """Return what came after a reading of the clock; nothing if there was no such reading."""
        return self.intervals.get(start_s, Interval(0))

    def shown(self, start_s: float) -> str:
        """Show what was called around a sample, from the call before its first reading on."""
        interval = self.after(start_s)
        events = [
            *self._events[max(0, interval.at - 1) : interval.at],
            start_s,
            *interval.calls,
            start_s,
        ]
        return "\n".join("clock()" if isinstance(e, float) else str(e) for e in events)

    def _read(self) -> None:
        of: dict[tuple[int, int], Family] = {}
        num_calls: Counter[int] = Counter()
        is_quiet: dict[int, bool] = defaultdict(lambda: True)
        start_s, interval = 0.0, Interval(0)
        for at, call in enumerate(self._events):
            if isinstance(call, float):
                interval.seconds = call - start_s
                self.alone.update(interval.timed if len(interval.others) == 1 else ())
                start_s, interval = call, Interval(at)
                self.intervals[call] = interval
                continue
            interval.calls.append(call)
            num_calls[call.manager] += call.verb in WORK
            sequence = call.manager, call.sequence
            if call.verb == "start":
                of[sequence] = Family(call.manager, at, {call.sequence})
                self.families[call.manager].append(of[sequence])
            elif call.verb == "release":
                family = of[sequence]
                family.running.remove(call.sequence)
                family.ended_at = None if family.running else at
            elif call.verb != "sync":
                family = self.family[at] = of[sequence]
                family.calls.append(at)
                interval.timed.append(at)
                self.nth[at] = num_calls[call.manager]
                self.is_quiet[at] = is_quiet[call.manager]
                if call.verb == "fork":
                    family.forks += 1
                    family.running.add(call.child)
                    of[call.manager, call.child] = family
            is_quiet[call.manager] = call.verb == "sync"

    def _phases(self, family: Family) -> Iterator[tuple[int, str]]:
        """Name the phase of each call of a family, whose forks are all known by now."""
        writes: Counter[int] = Counter()
        forks_to_come, branches_to_write = family.forks, family.forks + 1
        for at in family.calls:
            call = self.call(at)
            if call.verb == "fork":
                forks_to_come -= 1
                yield at, "fork"
                continue
            writes[call.sequence] += 1
            if family.forks == 0:
                yield at, "unshared"
            elif forks_to_come:
                yield at, EARLY
            elif writes[call.sequence] == 1:
                branches_to_write -= 1
                yield at, "first" if branches_to_write else "last"
            else:
                yield at, "after" if writes[call.sequence] == 2 else MORE
