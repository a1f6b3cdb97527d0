"""The readings of the last minutes, and what was counted between them.

A counter that falls means that the server was restarted: it counts from zero again. The window
begins again there, so nothing is averaged over the gap.

This file knows readings. It does not know what the quantities mean.
"""

from collections.abc import Mapping

from radixlab.observe.monitor.exposition import Labels
from radixlab.observe.monitor.reading import Reading

RESTARTS_OF_MANY_SERVERS = 3
"""So many restarts in the life of a window are more likely several servers behind one address."""


class Window:
    """A sliding window of `span_s` seconds.

    With a single reading, it covers the time since the server's start.
    """

    def __init__(self, span_s: float) -> None:
        self.span_s = span_s
        self.readings: list[Reading] = []
        self.num_restarts = 0
        """Restarts that were seen so far."""

    @property
    def latest(self) -> Reading:
        """The last reading."""
        return self.readings[-1]

    @property
    def looks(self) -> list[Reading]:
        """The readings that a server gave, without the zero that stands for a restart."""
        return [reading for reading in self.readings if not _is_zero(reading)]

    @property
    def covered_s(self) -> float | None:
        """The seconds between the first and the last reading; None if there is only one."""
        return self.latest.time_s - self.readings[0].time_s if len(self.readings) > 1 else None

    def add(self, reading: Reading) -> None:
        """Take in the next reading; forget those that are older than the window."""
        if self.readings and _is_restart(self.latest, reading):
            self.num_restarts += 1
            self.readings = [_zero(reading, self.latest.time_s)]
        self.readings.append(reading)
        start = reading.time_s - self.span_s
        while len(self.readings) > 2 and self.readings[1].time_s <= start:
            del self.readings[0]

    def newer_half(self) -> "Window | None":
        """Return the newer half of the window; None with fewer than four readings."""
        if len(self.readings) < 4:
            return None
        half = Window(self.span_s)
        half.readings = self.readings[len(self.readings) // 2 :]
        return half

    def counted(self, quantity: str) -> Mapping[Labels, float] | None:
        """Return what was counted in the window, by labels; None if the quantity is absent.

        A sample that appears in the window began at zero, as new labels do.
        """
        if quantity not in self.latest.counters:
            return None
        if len(self.readings) == 1:
            return self.latest.counters[quantity]
        counted: dict[Labels, float] = {}
        last_seen = dict(self.readings[0].counters.get(quantity, {}))
        for reading in self.readings[1:]:
            for labels, value in reading.counters.get(quantity, {}).items():
                counted[labels] = counted.get(labels, 0.0) + value - last_seen.get(labels, 0.0)
                last_seen[labels] = value
        return counted

    def total(self, quantity: str) -> float | None:
        """Return what was counted in the window over all labels; None if it is absent."""
        counted = self.counted(quantity)
        return None if counted is None else sum(counted.values())

    def by_label(self, quantity: str, label: str) -> dict[str, float] | None:
        """Return what was counted in the window by the value of one label."""
        counted = self.counted(quantity)
        if counted is None:
            return None
        sums: dict[str, float] = {}
        for labels, value in counted.items():
            name = dict(labels).get(label, "")
            sums[name] = sums.get(name, 0.0) + value
        return sums

    def gauge(self, quantity: str) -> list[float]:
        """Return the values of a gauge in the window, oldest first."""
        return [look.gauges[quantity] for look in self.looks if quantity in look.gauges]


def _is_restart(before: Reading, after: Reading) -> bool:
    """Whether the process behind the page is another one."""
    if before.engine != after.engine:
        return True
    if None not in (before.started_at, after.started_at) and before.started_at != after.started_at:
        return True
    return any(
        value < before.counters.get(quantity, {}).get(labels, 0.0)
        for quantity, values in after.counters.items()
        for labels, value in values.items()
    )


def _zero(reading: Reading, time_s: float) -> Reading:
    """Return the reading of a server that has counted nothing yet."""
    return Reading(time_s, reading.engine, {}, {}, reading.started_at)


def _is_zero(reading: Reading) -> bool:
    return not reading.counters and not reading.gauges
