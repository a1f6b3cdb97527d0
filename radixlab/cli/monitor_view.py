"""A monitor's report for the terminal: figures with their meaning, then the diagnosis.

This file knows reports and `rich`. It does not know servers or time.
"""

from collections.abc import Callable, Iterator
from functools import partial

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixlab.observe.monitor import Diagnosis, Figures, Missing, Report
from radixlab.observe.monitor.figures import Figure, Latency

GOOD, BAD, SOFT = "bold green", "bold red", "dim"
Shown = Callable[[Figure], str]


def screen(report: Report, problem: str = "") -> RenderableType:
    """Return one screen; `problem` says why the figures are not fresh."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="left", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style=SOFT)
    for name, value, meaning in rows(report.figures):
        table.add_row(name, value, meaning)
    parts: list[RenderableType] = [_head(report)]
    parts += [Text(problem, style=BAD)] if problem else []
    parts += [Text(), table, *_misses(report.figures), Text()]
    for diagnosis in report.diagnoses:
        parts += _told(diagnosis)
    parts += [Text(f"note: {note}", style=SOFT) for note in report.notes]
    return Group(*parts)


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


def shown(figure: Figure, pattern: str) -> str:
    """Format a number; say of a missing one why it is missing.

    >>> shown(0.5, ".0%"), shown(Missing.NO_DATA, ".0%")
    ('50%', 'no data')
    """
    return figure.value if isinstance(figure, Missing) else format(figure, pattern)


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


def _head(report: Report) -> Text:
    span = report.covered_s
    when = "since the server's start" if span is None else f"the last {span:,.0f} s"
    head = Text(report.engine.title, style="bold")
    return head.append(f"  {report.source}, {when}", style=SOFT)


def _misses(figures: Figures) -> Iterator[RenderableType]:
    """Yield why tokens missed, most first; one line."""
    if figures.misses is None:
        yield Text("reasons of misses: absent", style=SOFT)
        return
    total = sum(figures.misses.values())
    parts = sorted(figures.misses.items(), key=lambda item: -item[1])
    words = [f"{name} {number / total:.0%}" for name, number in parts if number]
    yield Text(f"missed tokens by reason: {', '.join(words) or 'none missed'}", style=SOFT)


def _told(diagnosis: Diagnosis) -> list[RenderableType]:
    style = GOOD if diagnosis.name == "healthy" else BAD
    evidence = [Text(f"– {sentence}") for sentence in diagnosis.evidence]
    advice = [Text(diagnosis.advice, style="italic")] if diagnosis.advice else []
    return [Text(diagnosis.title, style=style), Padding(Group(*evidence, *advice), (0, 0, 0, 2))]
