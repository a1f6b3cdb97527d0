"""A report's figures as rows of words, the same in the terminal and in a notebook.

This file knows figures. It does not know where they are shown.
"""

from collections.abc import Callable, Iterator
from functools import partial

from radixlab.observe.monitor.figures import Figure, Figures, Latency, Missing
from radixlab.observe.monitor.findings import shown
from radixlab.observe.monitor.watcher import Report

Shown = Callable[[Figure], str]


def rows(figures: Figures) -> Iterator[tuple[str, str, str]]:
    """Yield `(name, value, meaning)`: the cache first, then the requests, then the clock."""
    f, share, number, ratio = figures, percent, count, partial(shown, pattern=",.1f")
    yield "block reuse rate", share(f.reuse_rate), "reused ÷ (allocated + reused) blocks"
    yield "blocks per request", ratio(f.blocks_per_request), "(allocated + reused) ÷ requests"
    yield "prefix match", ratio(f.mean_match_blocks), "blocks that a prompt finds, mean"
    yield "eviction rate", share(f.eviction_rate), "evicted ÷ (allocated + reused) blocks"
    yield "token hit rate", share(f.hit_rate), "cached ÷ queried prompt tokens"
    yield "pool in use", share(f.usage), f"of {number(f.num_blocks)} blocks, by running requests"
    yield "tree", number(f.tree_nodes), "nodes"
    yield "requests", number(f.requests), _rate(f.requests_per_s)
    yield "running, waiting", f"{number(f.running)}, {number(f.waiting)}", "now"
    yield "preemptions", number(f.preemptions), "running requests that lost their blocks"
    yield "first token", seconds(f.ttft_s.p50), _most(f.ttft_s)
    yield "next token", seconds(f.inter_token_s.p50), _most(f.inter_token_s)
    yield "whole answer", seconds(f.total_s.p50), _most(f.total_s)
    yield "in the queue", seconds(f.queue_s.p50), _most(f.queue_s)


def headline(report: Report) -> str:
    """Say whose figures these are, and of what time."""
    span = report.covered_s
    when = "since the server's start" if span is None else f"the last {span:,.0f} s"
    return f"{report.source}, {when}"


def misses(figures: Figures) -> str:
    """Say why tokens missed, the most first."""
    if figures.misses is None:
        return "reasons of misses: absent"
    total = sum(figures.misses.values())
    parts = sorted(figures.misses.items(), key=lambda item: -item[1])
    words = [f"{name} {number / total:.0%}" for name, number in parts if number]
    return f"missed tokens by reason: {', '.join(words) or 'none missed'}"


def text(report: Report) -> str:
    """Return the whole report as plain text."""
    table = list(rows(report.figures))
    widths = [max(len(row[i]) for row in table) for i in range(2)]
    lines = [f"{report.engine.title}: {headline(report)}"]
    lines += [f"  {n:{widths[0]}}  {v:>{widths[1]}}  {m}".rstrip() for n, v, m in table]
    lines.append(misses(report.figures))
    for diagnosis in report.diagnoses:
        lines += [diagnosis.title, *(f"  – {sentence}" for sentence in diagnosis.evidence)]
        lines += [f"  {diagnosis.advice}"] if diagnosis.advice else []
    return "\n".join([*lines, *(f"note: {note}" for note in report.notes)])


percent: Shown = partial(shown, pattern=".1%")
count: Shown = partial(shown, pattern=",.0f")


def seconds(figure: Figure) -> str:
    """Write a duration in seconds or milliseconds.

    >>> seconds(0.0312), seconds(2.5), seconds(Missing.ABSENT)
    ('31 ms', '2.50 s', 'absent')
    """
    if isinstance(figure, Missing):
        return figure.value
    return f"{figure:.2f} s" if figure >= 1 else f"{1000 * figure:.0f} ms"


def _rate(per_s: Figure) -> str:
    return "finished" if isinstance(per_s, Missing) else f"finished, {per_s:.2f} a second"


def _most(latency: Latency) -> str:
    known = not isinstance(latency.p99, Missing)
    return f"median; 99 % within {seconds(latency.p99)}" if known else ""
