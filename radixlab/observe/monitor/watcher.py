"""The monitor: it looks at a server again and again, and says how its cache does.

This file knows where pages come from, the window and the clock that is handed in. It does not know
terminals or notebooks.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from radixlab.observe.monitor.diagnosis import diagnose
from radixlab.observe.monitor.exposition import MonitorError, parse_page
from radixlab.observe.monitor.fetch import fetch, metrics_url
from radixlab.observe.monitor.figures import Figures, figures
from radixlab.observe.monitor.findings import Diagnosis
from radixlab.observe.monitor.names import Engine
from radixlab.observe.monitor.reading import read_page
from radixlab.observe.monitor.window import RESTARTS_OF_MANY_SERVERS, Window

WINDOW_S = 300.0
"""Five minutes: long enough for a rate, short enough to see an incident."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one look found."""

    source: str
    engine: Engine
    covered_s: float | None
    """Seconds of the window; None with one reading, which covers all since the server's start."""
    num_readings: int
    num_restarts: int
    figures: Figures = field(repr=False)
    diagnoses: tuple[Diagnosis, ...]
    """The most urgent first; never empty."""
    notes: tuple[str, ...]

    @property
    def diagnosis(self) -> Diagnosis:
        """The most urgent finding."""
        return self.diagnoses[0]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "source": self.source,
            "engine": self.engine.key,
            "covered_s": self.covered_s,
            "readings": self.num_readings,
            "restarts": self.num_restarts,
            **self.figures.as_json(),
            "diagnosis": self.diagnosis.as_json(),
            "also": [diagnosis.as_json() for diagnosis in self.diagnoses[1:]],
            "notes": list(self.notes),
        }


class Monitor:
    r"""Watches one server.

    `source` is its address, or a function that returns the text of a page. `clock` returns seconds.

    >>> page = "# TYPE vllm:request_success_total counter\nvllm:request_success_total 7\n"
    >>> Monitor(lambda: page).look().figures.requests
    7.0
    """

    def __init__(
        self,
        source: str | Callable[[], str],
        window_s: float = WINDOW_S,
        api_key: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read: Callable[[], str]
        if isinstance(source, str):
            url = metrics_url(source)
            self.name, self._read = url, lambda: fetch(url, api_key)
        else:
            self.name, self._read = "a function", source
        self.window = Window(window_s)
        self._clock = clock

    def look(self) -> Report:
        """Read the page once more, and report on the window that ends now.

        Raises `MonitorError` if there is no page, or one that is not an exposition; the window
        stays as it is.
        """
        text = self._read()
        try:
            self.window.add(read_page(parse_page(text), self._clock()))
        except MonitorError as error:
            raise type(error)(f"{self.name}: {error}") from None
        return self.report()

    def report(self) -> Report:
        """Report on the window as it is, without another look."""
        window = self.window
        return Report(
            self.name,
            window.latest.engine,
            window.covered_s,
            len(window.looks),
            window.num_restarts,
            figures(window),
            tuple(diagnose(window)),
            tuple(self._notes()),
        )

    def _notes(self) -> list[str]:
        notes = list(self.window.latest.notes)
        number = self.window.num_restarts
        if number >= RESTARTS_OF_MANY_SERVERS:
            notes.append(
                f"the counters fell {number} times: if there are several servers behind this "
                "address, watch each by its own"
            )
        elif number:
            times = "once" if number == 1 else f"{number} times"
            notes.append(f"the server was restarted {times}; the window begins after that")
        return notes
