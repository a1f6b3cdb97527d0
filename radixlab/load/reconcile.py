"""Whether the server's own counters agree with the ledger, to the token.

For requests that finished, both must say the same. Of a request that was aborted or failed, the
ledger does not know how far the server came; so the server may have counted up to that much more.

This file knows readings of a server's metrics and a ledger. It sends nothing.
"""

from dataclasses import asdict, dataclass
from typing import Any

from radixlab.load.ledger import Ledger, Line
from radixlab.observe.monitor import Window
from radixlab.observe.monitor.reading import Reading

GOOD_REASONS = ("stop", "length")
"""Values of `finished_reason` that a client sees as an answer."""


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity, counted on both sides."""

    quantity: str
    server: float | None
    """None if the server does not publish it."""
    ledger: int | None
    """None if the answers did not say it."""
    slack: int
    """How much more the server may have counted, for requests that did not finish."""

    @property
    def difference(self) -> float | None:
        """Server minus ledger."""
        if self.server is None or self.ledger is None:
            return None
        return self.server - self.ledger

    @property
    def agrees(self) -> bool:
        """Whether the difference is nothing, or explained."""
        return self.difference is None or 0 <= self.difference <= self.slack


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All quantities."""

    rows: tuple[Row, ...]
    problems: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether every row agrees, and there is no other problem."""
        return not self.problems and all(row.agrees for row in self.rows)

    @property
    def is_exact(self) -> bool:
        """Whether every difference that can be known is 0."""
        return self.agrees and not any(row.difference for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [asdict(r) | {"difference": r.difference, "agrees": r.agrees} for r in self.rows]
        return {"agrees": self.agrees, "exact": self.is_exact, "rows": rows} | {
            "problems": list(self.problems)
        }


def reconcile(before: Reading, after: Reading, ledger: Ledger) -> Reconciliation:
    """Compare what the server counted between two readings with the ledger of all that was sent.

    Nobody else may have used the server in between.
    """
    window = Window(float("inf"))
    window.add(before)
    window.add(after)
    if window.num_restarts:
        return Reconciliation((), ("the server was restarted during the run",))
    finished = ledger.of("finished")
    others = ledger.of("failed") + ledger.of("aborted")
    prompts = sum(line.sent_tokens or line.prompt_tokens or 0 for line in others)
    is_known = all(line.sent_tokens is not None for line in others)
    slack = prompts if is_known else 2**53
    answers = sum(line.max_tokens for line in others)
    rows = (
        Row("requests", _requests(window), len(finished), len(others)),
        Row("prompt_tokens", window.total("prompt_tokens"), _sum(finished, "prompt_tokens"), slack),
        Row("cached_tokens", window.total("hit_tokens"), _sum(finished, "cached_tokens"), slack),
        Row(
            "output_tokens",
            window.total("generation_tokens"),
            _sum(finished, "output_tokens"),
            answers,
        ),
    )
    return Reconciliation(rows, tuple(_still_running(after)))


def _requests(window: Window) -> float | None:
    """Return how many requests the server finished with an answer."""
    by_reason = window.by_label("requests", "finished_reason")
    if by_reason is None:
        return None
    if set(by_reason) <= {""}:  # this engine does not tell reasons apart
        return sum(by_reason.values())
    return sum(by_reason.get(reason, 0.0) for reason in GOOD_REASONS)


def _sum(lines: list[Line], name: str) -> int | None:
    values = [getattr(line, name) for line in lines]
    return None if None in values else sum(values)


def _still_running(after: Reading) -> list[str]:
    number = after.gauges.get("running", 0.0) + after.gauges.get("waiting", 0.0)
    return [f"{number:.0f} requests still ran when the metrics were read"] if number else []
