"""What a run was like: latencies, goodput, and how much of each turn was cached.

A percentile is one of the measured values (nearest rank), never a mean of two. *Goodput* counts
only the requests that met the objective (SLO) for their first token and for the mean time of each
later one.

This file knows a ledger. It does not know how it was made.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from radixlab.load.ledger import Ledger, Line
from radixlab.load.run import Ended

SHARES = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class Objective:
    """What a good answer is; None for no bound."""

    ttft_s: float | None = None
    inter_token_s: float | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is any bound."""
        return self.ttft_s is not None or self.inter_token_s is not None

    def is_met(self, line: Line) -> bool:
        """Whether a request finished within the bounds."""
        if line.status != "finished" or line.ttft_s is None:
            return False
        gap = line.mean_gap_s or 0.0
        bounds = ((self.ttft_s, line.ttft_s), (self.inter_token_s, gap))
        return all(bound is None or value <= bound for bound, value in bounds)


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds; None where nothing was measured."""

    mean: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class Cached:
    """Prompt tokens of some requests, and those that were cached."""

    name: str
    requests: int
    prompt_tokens: int
    cached_tokens: int

    @property
    def hit_rate(self) -> float | None:
        """The share that was cached; None without tokens."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"hit_rate": self.hit_rate}


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The numbers of one run."""

    sent: int
    finished: int
    failed: int
    aborted: int
    not_sent: int
    duration_s: float
    requests_per_s: float | None
    output_tokens_per_s: float | None
    all: Cached
    output_tokens: int
    num_without_cached_tokens: int
    """Finished requests whose usage has no `cached_tokens`; they are in no hit rate."""
    ttft_s: Spread
    inter_token_s: Spread
    total_s: Spread
    errors: dict[str, int]
    """How many failed, by kind."""
    objective: Objective
    num_good: int | None
    """Requests that met the objective; None if there is none."""
    by_turn: tuple[Cached, ...]
    by_session: tuple[Cached, ...]

    @property
    def goodput_per_s(self) -> float | None:
        """Good requests a second."""
        if self.num_good is None or not self.duration_s:
            return None
        return self.num_good / self.duration_s

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        plain = asdict(self) | {"goodput_per_s": self.goodput_per_s, "all": self.all.as_json()}
        for name in ("by_turn", "by_session"):
            plain[name] = [each.as_json() for each in getattr(self, name)]
        return plain


def report(
    ledger: Ledger, ended: Ended, num_planned: int, objective: Objective | None = None
) -> LoadReport:
    """Count and measure a run of `num_planned` requests."""
    finished, failed = ledger.of("finished"), ledger.of("failed")
    objective = objective or Objective()
    output = sum(line.output_tokens or 0 for line in finished)
    known = [line for line in finished if line.cached_tokens is not None]
    seconds = ended.duration_s
    return LoadReport(
        sent=len(ledger.lines),
        finished=len(finished),
        failed=len(failed),
        aborted=len(ledger.of("aborted")),
        not_sent=num_planned - len(ledger.lines),
        duration_s=seconds,
        requests_per_s=len(finished) / seconds if seconds else None,
        output_tokens_per_s=output / seconds if seconds else None,
        all=_cached("all", known),
        output_tokens=output,
        num_without_cached_tokens=len(finished) - len(known),
        ttft_s=spread(line.ttft_s for line in finished),
        inter_token_s=spread(gap for line in finished for gap in line.gaps_s),
        total_s=spread(line.total_s for line in finished),
        errors=dict(Counter(line.error or "unknown" for line in failed).most_common()),
        objective=objective,
        num_good=sum(map(objective.is_met, finished)) if objective.is_set else None,
        by_turn=_groups(known, lambda line: line.turn),
        by_session=_groups(known, lambda line: line.session),
    )


def spread(values: Iterable[float | None]) -> Spread:
    """Return the mean and the percentiles of what was measured.

    >>> spread([3.0, 1.0, None, 2.0])
    Spread(mean=2.0, p50=2.0, p90=3.0, p99=3.0, max=3.0)
    """
    known = sorted(value for value in values if value is not None)
    if not known:
        return Spread(None, None, None, None, None)
    p50, p90, p99 = (percentile(known, share) for share in SHARES)
    return Spread(sum(known) / len(known), p50, p90, p99, known[-1])


def percentile(rising: Sequence[float], share: float) -> float:
    """Return the least value that at least this share of the values does not exceed."""
    return rising[max(0, math.ceil(share * len(rising)) - 1)]


def _cached(name: str, lines: Sequence[Line]) -> Cached:
    prompt = sum(line.prompt_tokens or 0 for line in lines)
    return Cached(name, len(lines), prompt, sum(line.cached_tokens or 0 for line in lines))


def _groups(lines: Iterable[Line], key: Callable[[Line], Any]) -> tuple[Cached, ...]:
    """Group the requests of sessions by a key.

    The groups come in the order of their keys if these are numbers, and otherwise in the order in
    which they first occur.
    """
    groups: dict[Any, list[Line]] = {}
    for line in sorted(lines, key=lambda line: line.index):
        if line.session is not None:
            groups.setdefault(key(line), []).append(line)
    names = sorted(groups) if all(isinstance(name, int) for name in groups) else list(groups)
    return tuple(_cached(str(name), groups[name]) for name in names)
