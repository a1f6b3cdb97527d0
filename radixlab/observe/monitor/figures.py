"""The figures that the monitor shows, each with its definition.

    blocks per request  (allocated + reused) blocks ÷ requests
    reuse rate          reused ÷ (allocated + reused) blocks
    eviction rate       evicted ÷ (allocated + reused) blocks
    hit rate            cached ÷ queried prompt tokens
    prefix match        mean of the blocks that a prompt found

A figure whose quantities the engine does not publish is *absent*; one that would divide by zero has
*no data*. Neither is ever 0. This file knows windows. It does not judge.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from radixlab.observe.monitor.window import Window


class Missing(Enum):
    """Why a figure has no number."""

    ABSENT = "absent"
    NO_DATA = "no data"


Figure = float | Missing


@dataclass(frozen=True, slots=True)
class Latency:
    """The mean and percentiles of one histogram in the window, in seconds."""

    mean: Figure
    p50: Figure
    p90: Figure
    p99: Figure


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of one window."""

    requests: Figure
    """Requests that finished in the window."""
    requests_per_s: Figure
    prompt_tokens: Figure
    generation_tokens: Figure
    reuse_rate: Figure
    blocks_per_request: Figure
    mean_match_blocks: Figure
    eviction_rate: Figure
    evicted_blocks: Figure
    hit_rate: Figure
    """The share of prompt tokens that were cached; every engine publishes it."""
    tree_nodes: Figure
    usage: Figure
    """The share of the pool that running requests hold, from 0 to 1."""
    num_blocks: Figure
    tokens_per_request: Figure
    """The mean length of a prompt and its answer, over the requests that finished."""
    in_use_blocks: Figure
    evictable_blocks: Figure
    running: Figure
    waiting: Figure
    preemptions: Figure
    misses: Mapping[str, float] | None
    """Missed tokens by reason; None where the engine publishes no reasons."""
    ttft_s: Latency
    inter_token_s: Latency
    total_s: Latency
    queue_s: Latency

    def numbers(self) -> Iterator[tuple[str, Figure]]:
        """Yield `(name, figure)` for all that are one number."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float | Missing):
                yield field.name, value

    def as_json(self) -> dict[str, Any]:
        """Return plain values, `None` for what is missing, and lists of what is missing and why."""
        plain: dict[str, Any] = {name: _plain(figure) for name, figure in self.numbers()}
        missing: dict[Missing, list[str]] = {Missing.ABSENT: [], Missing.NO_DATA: []}
        for name, figure in self.numbers():
            if isinstance(figure, Missing):
                missing[figure].append(name)
        plain["misses"] = None if self.misses is None else dict(self.misses)
        if self.misses is None:
            missing[Missing.ABSENT].append("misses")
        for name in ("ttft_s", "inter_token_s", "total_s", "queue_s"):
            latency: Latency = getattr(self, name)
            plain[name] = {f.name: _plain(getattr(latency, f.name)) for f in fields(latency)}
            if isinstance(latency.mean, Missing):
                missing[latency.mean].append(name)
        return plain | {"absent": missing[Missing.ABSENT], "no_data": missing[Missing.NO_DATA]}


def figures(window: Window) -> Figures:
    """Compute all figures of a window."""
    requests = _counted(window, "requests")
    reused = _counted(window, "reused_blocks")
    evicted = _counted(window, "evicted_blocks")
    touched = _sum(_counted(window, "allocated_blocks"), reused)
    prompt, generated = (_counted(window, f"{kind}_tokens") for kind in ("prompt", "generation"))
    return Figures(
        requests=requests,
        requests_per_s=ratio(requests, window.covered_s or 0.0),
        prompt_tokens=prompt,
        generation_tokens=generated,
        reuse_rate=ratio(reused, touched),
        blocks_per_request=ratio(touched, requests),
        mean_match_blocks=latency(window, "match_blocks").mean,
        eviction_rate=ratio(evicted, touched),
        evicted_blocks=evicted,
        hit_rate=ratio(_counted(window, "hit_tokens"), _counted(window, "queried_tokens")),
        tree_nodes=_gauge(window, "tree_nodes"),
        usage=_gauge(window, "usage"),
        num_blocks=_num_blocks(window),
        tokens_per_request=ratio(_sum(prompt, generated), requests),
        in_use_blocks=_gauge(window, "in_use_blocks"),
        evictable_blocks=_gauge(window, "evictable_blocks"),
        running=_gauge(window, "running"),
        waiting=_gauge(window, "waiting"),
        preemptions=_counted(window, "preemptions"),
        misses=window.by_label("missed_tokens", "reason"),
        ttft_s=latency(window, "ttft_s"),
        inter_token_s=latency(window, "inter_token_s"),
        total_s=latency(window, "total_s"),
        queue_s=latency(window, "queue_s"),
    )


def ratio(part: Figure, whole: Figure) -> Figure:
    """Divide; absent if either is absent, no data if there is nothing to divide by.

    >>> ratio(1.0, 4.0), ratio(0.0, 0.0).value, ratio(Missing.ABSENT, 2.0).value
    (0.25, 'no data', 'absent')
    """
    for figure in (part, whole):
        if isinstance(figure, Missing):
            return figure
    assert not isinstance(part, Missing) and not isinstance(whole, Missing)
    return part / whole if whole else Missing.NO_DATA


def latency(window: Window, quantity: str) -> Latency:
    """Return the mean and the quantiles of what a histogram counted in the window."""
    count, total = (_counted(window, f"{quantity}_{part}") for part in ("count", "sum"))
    mean = ratio(total, count)
    if isinstance(mean, Missing):
        return Latency(mean, mean, mean, mean)
    by_bound = window.by_label(f"{quantity}_bucket", "le") or {}
    buckets = sorted((float(bound), number) for bound, number in by_bound.items())
    return Latency(mean, *(quantile(buckets, share) for share in (0.5, 0.9, 0.99)))


def quantile(buckets: list[tuple[float, float]], share: float) -> Figure:
    """Interpolate in cumulative buckets `(upper bound, count)`, as `histogram_quantile` does.

    A quantile above the last finite bound is that bound: the histogram knows no more.

    >>> quantile([(1.0, 2.0), (2.0, 4.0), (float("inf"), 4.0)], 0.75)
    1.5
    """
    if not buckets or not buckets[-1][1]:
        return Missing.NO_DATA
    rank = share * buckets[-1][1]
    low = below = 0.0
    for bound, count in buckets:
        if count >= rank:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (rank - below) / (count - below)
        low, below = bound, count
    return low


def _counted(window: Window, quantity: str) -> Figure:
    total = window.total(quantity)
    return Missing.ABSENT if total is None else total


def _gauge(window: Window, quantity: str) -> Figure:
    """Return the latest value; absent if the latest page does not have it."""
    return window.latest.gauges.get(quantity, Missing.ABSENT)


def _num_blocks(window: Window) -> Figure:
    """Add up the states of the blocks; without them, take what the engine's configuration says."""
    held = [_gauge(window, f"{state}_blocks") for state in ("free", "evictable", "in_use")]
    total = _sum(*held, window.latest.gauges.get("in_transfer_blocks", 0.0))
    return _gauge(window, "num_blocks") if isinstance(total, Missing) else total


def _sum(*figures: Figure) -> Figure:
    if any(isinstance(figure, Missing) for figure in figures):
        return Missing.ABSENT
    return sum(figure for figure in figures if not isinstance(figure, Missing))


def _plain(figure: Figure) -> float | None:
    return None if isinstance(figure, Missing) else figure
