"""The server's page of metrics, read again and again: what it counts, and whose traffic it was.

Every page is kept, because a counter may never fall between any two of them. This file knows pages.
It does not know what the numbers should be.
"""

from contextlib import suppress
from dataclasses import dataclass, field

from radixlab.certify.http import Http
from radixlab.certify.outcome import CannotTell
from radixlab.observe.monitor.exposition import ExpositionError, Page, parse_page
from radixlab.observe.monitor.reading import Reading, read_page

PATH = "/metrics"
MOST_PAGES = 400


@dataclass(slots=True)
class Pages:
    """The pages of one server."""

    http: Http
    why_none: str | None = None
    """Why there is no page; None if there is one."""
    kept: list[Page] = field(default_factory=list)
    last_traffic: tuple[float, float] | None = None
    """What `traffic` found last."""
    _first_tokens: float | None = None
    _own_tokens: float = 0
    """Prompt tokens that we have sent, at most."""

    def look(self) -> Reading | None:
        """Fetch the page; return None if there is none, or not one of a known engine."""
        if self.why_none is not None:
            return None
        try:
            reply = self.http.get(PATH, is_operator=True)
            if reply.status != 200:
                raise ExpositionError(_why(reply.status))
            page = parse_page(reply.text)
            reading = read_page(page, 0.0)
        except ExpositionError as error:
            if not self.kept:
                self.why_none = f"{PATH}: {error}"
                return None
            raise CannotTell(f"{PATH}: {error}") from None
        if len(self.kept) < MOST_PAGES:
            self.kept.append(page)
        return reading

    def gauge_now(self, name: str) -> float | None:
        """Return a gauge as it is now; None if it is not published."""
        with suppress(CannotTell):
            reading = self.look()
            return gauge(reading, name) if reading else None
        return None

    def need(self) -> Reading:
        """Fetch the page; raise `CannotTell` if there is none."""
        reading = self.look()
        if reading is None:
            raise CannotTell(f"no metrics are published: {self.why_none}")
        return reading

    def sent(self, num_tokens: int) -> None:
        """Take note of prompt tokens of ours."""
        self._own_tokens += num_tokens

    def traffic(self) -> tuple[float, float] | None:
        """Return how many prompt tokens of others were counted, and how many requests are at work.

        None if nobody counts. A page may lag, and then the tokens are below 0.
        """
        reading = self.look()
        counted = total(reading, "prompt_tokens") if reading else None
        if reading is None or counted is None:
            return None
        if self._first_tokens is None:
            self._first_tokens = counted - self._own_tokens
        tokens = counted - self._first_tokens - self._own_tokens
        self.last_traffic = tokens, num_active(reading) or 0.0
        return self.last_traffic


def total(reading: Reading, name: str) -> float | None:
    """Add up a counter over its labels; None if it is not published.

    >>> from radixlab.observe.monitor.names import RADIXLAB
    >>> total(Reading(0.0, RADIXLAB, {"hit_tokens": {frozenset(): 3.0}}, {}), "hit_tokens")
    3.0
    """
    samples = reading.counters.get(name)
    return None if samples is None else sum(samples.values())


def gauge(reading: Reading, name: str) -> float | None:
    """Return a gauge; None if it is not published."""
    return reading.gauges.get(name)


def num_active(reading: Reading) -> float | None:
    """Return how many requests run or wait; None if that is not published."""
    found = [gauge(reading, name) for name in ("running", "waiting")]
    return None if found[0] is None else sum(number or 0 for number in found)


def _why(status: int) -> str:
    if status in (401, 403):
        return f"refused ({status}): give the operator's key with --operator-key"
    if status == 404:
        return "there is no such page (404); SGLang has one with --enable-metrics"
    return f"the server answered {status}"
