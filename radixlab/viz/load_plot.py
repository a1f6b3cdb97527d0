"""A run of load as a picture: first tokens over time, and what was cached by turn.

This file knows ledgers and reports. It does not know servers.
"""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from radixlab.load.ledger import Line
from radixlab.viz.palette import BLUE, GREEN, INK, LINE, SOFT

if TYPE_CHECKING:
    from radixlab.load import Ledger, LoadReport

MISSED = "#D55E00"
CACHED_SHARE = 0.5
"""From this share on, a prompt counts as cached in the picture."""


def draw_load(ledger: "Ledger", report: "LoadReport") -> Figure:
    """Draw the time to the first token of each request, and the hit rate by turn or the quantiles.

    A workload without conversations has no turns; then the second panel shows the share of requests
    within each latency.
    """
    layout = ConstrainedLayoutEngine(w_pad=0.12)
    figure = Figure(figsize=(10.4, 4.2), dpi=140, layout=layout)
    left, right = figure.subplots(1, 2)
    finished = ledger.of("finished")
    _first_tokens(left, finished)
    if report.by_turn:
        _by_turn(right, report)
    else:
        _within(right, finished)
    title = f"{report.sent:,} requests, {report.finished:,} finished"
    figure.suptitle(title, fontsize=11, color=INK)
    return figure


def _first_tokens(axes: Axes, lines: "list[Line]") -> None:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        if line.ttft_s is not None:
            groups.setdefault(_group(line), []).append(line)
    colours = {"mostly cached": GREEN, "mostly computed": MISSED, "cached tokens unknown": SOFT}
    marks = {"mostly cached": "o", "mostly computed": "^", "cached tokens unknown": "s"}
    for name, members in sorted(groups.items()):
        times = [line.sent_s for line in members]
        waits = [1000 * (line.ttft_s or 0.0) for line in members]
        axes.scatter(times, waits, s=12, c=colours[name], marker=marks[name], label=name)
    axes.set(xlabel="sent, seconds after the start", ylabel="time to first token, ms")
    axes.set_ylim(bottom=0)
    if groups:
        axes.legend(fontsize=8, frameon=False)
    _plain(axes)


def _group(line: Line) -> str:
    if line.cached_tokens is None or not line.prompt_tokens:
        return "cached tokens unknown"
    share = line.cached_tokens / line.prompt_tokens
    return "mostly cached" if share >= CACHED_SHARE else "mostly computed"


def _by_turn(axes: Axes, report: "LoadReport") -> None:
    names = [each.name for each in report.by_turn]
    rates = [100 * (each.hit_rate or 0.0) for each in report.by_turn]
    axes.bar(names, rates, color=BLUE)
    axes.set(xlabel="turn of the conversation", ylabel="cached prompt tokens, %", ylim=(0, 100))
    _plain(axes)


def _within(axes: Axes, lines: "list[Line]") -> None:
    for name, waits, colour in (
        ("first token", [line.ttft_s for line in lines], BLUE),
        ("whole answer", [line.total_s for line in lines], GREEN),
    ):
        rising = sorted(1000 * wait for wait in waits if wait is not None)
        shares = [100 * (rank + 1) / len(rising) for rank in range(len(rising))]
        axes.step(rising, shares, where="post", color=colour, label=name)
    axes.set(xlabel="within, ms", ylabel="requests, %", ylim=(0, 101))
    axes.legend(fontsize=8, frameon=False)
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.grid(color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
