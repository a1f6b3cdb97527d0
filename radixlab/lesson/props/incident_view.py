"""Pictures for exercise 8.5.5: what metrics show of incidents, and when alerts fire."""

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radixlab.exercise.metrics import Snapshot
from radixlab.grade.ex5.incidents import HEALTHY, SCRAPE_S
from radixlab.grade.ex5.rules import firing, read_rules, scripted
from radixlab.grade.ex5.traffic import NUM_BEFORE, timelines
from radixlab.lesson.picture import Picture
from radixlab.viz.palette import INK, LINE, SOFT
from radixlab.viz.race import COLOURS

WINDOW = 6
"""Scrapes over which the shares of tokens are drawn."""
SHARES = {
    "found": ("prefix_cache_hits_total", {}),
    "evicted": ("prefix_cache_misses_total", {"reason": "evicted"}),
    "never_seen": ("prefix_cache_misses_total", {"reason": "never_seen"}),
    "below_block": ("prefix_cache_misses_total", {"reason": "below_block"}),
}
Figures = dict[str, float | None]


def minutes(num_scrapes: int) -> list[float]:
    """Return the time of each scrape."""
    return [SCRAPE_S * (number + 1) / 60 for number in range(num_scrapes)]


def draw_window(
    make_monitor: Callable[[int], Any], texts: Sequence[str], window: int, title: str = ""
) -> Picture:
    """Draw the figures of a monitor with a window, and of one that averages over all time."""
    figure = Figure(figsize=(9, 3.4), dpi=140, layout="constrained")
    lines = [title]
    for axes, name in zip(figure.subplots(1, 2), ("reuse", "eviction_rate"), strict=True):
        curves = (f"the last {window} scrapes", window), ("all time", len(texts))
        for colour, (label, length) in zip((COLOURS[0], SOFT), curves, strict=True):
            values = _figure(make_monitor(length), texts, name)
            axes.plot(minutes(len(texts)), values, color=colour, label=label)
            lines.append(f"{name}, {label}: {values[-1]:.3f} at the end")
        axes.set(xlabel="minutes", ylim=(-0.03, 1.03))
        axes.set_title(name, loc="left", fontsize=10, color=INK)
        axes.legend(fontsize=8, frameon=False)
        _plain(axes)
    figure.suptitle(title, fontsize=11, color=INK)
    return Picture.of(figure, "\n".join(lines))


def _figure(monitor: Any, texts: Sequence[str], name: str) -> list[float]:
    values = [monitor.update(text)[name] for text in texts]
    return [float("nan") if value is None else float(value) for value in values]


def draw_incidents(seed: int, alert_rules: Callable[[], Any] | None = None) -> Picture:
    """Draw the series of a healthy server and of five incidents; a bar where an alert fires."""
    figure = Figure(figsize=(11, 7.6), dpi=140, layout="constrained")
    panels = figure.subplots(3, 2, sharex=True).flatten()
    rules = read_rules(alert_rules()) if alert_rules else {}
    lines = []
    for axes, (kind, texts) in zip(panels, timelines(seed).items(), strict=True):
        told = _incident(axes, kind, texts)
        series = scripted(texts)
        for name, rule in rules.items():
            fires = firing(rule, series, len(texts))
            if True in fires:
                first = minutes(len(texts))[fires.index(True)]
                told += f"; the alert {name} fires from minute {first:g}"
                _bar(axes, name, fires)
        lines.append(told)
    for axes in panels[-2:]:
        axes.set_xlabel("minutes")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=9, frameon=False)
    return Picture.of(figure, "\n".join(lines))


def _incident(axes: Axes, kind: str, texts: Sequence[str]) -> str:
    """Draw the shares of tokens, the queue, and blocks that nobody uses; return them in words."""
    snapshot, times = Snapshot(texts), minutes(len(texts))
    told = []
    for colour, (name, (metric, labels)) in zip(COLOURS, SHARES.items(), strict=False):
        values = _shares(snapshot, metric, labels)
        axes.plot(times, values, color=colour, label=name, linewidth=1.8)
        told.append(f"{name} {values[-1]:.2f}")
    waiting = snapshot.values("num_requests_waiting")
    idle = _held_by_nobody(snapshot)
    right = axes.twinx()
    right.plot(times, waiting, color=SOFT, linewidth=1, linestyle="--")
    right.plot(times, idle, color=INK, linewidth=1.2, linestyle=":")
    right.set_ylim(0, 64)
    axes.plot([], [], color=SOFT, linestyle="--", label="waiting (right)")
    axes.plot([], [], color=INK, linestyle=":", label="blocks held by nobody (right)")
    if kind != HEALTHY:
        axes.axvline(NUM_BEFORE * SCRAPE_S / 60, color=LINE, linewidth=6, zorder=0)
    axes.set(ylim=(-0.03, 1.18), ylabel="share of tokens")
    axes.set_title(kind, loc="left", fontsize=10, color=INK)
    _plain(axes)
    right.spines["top"].set_visible(False)
    return f"{kind}: {', '.join(told)}, waiting {waiting[-1]:g}, held by nobody {idle[-1]:g}"


def _shares(snapshot: Snapshot, metric: str, labels: dict[str, str]) -> list[float]:
    """Return a counter's increase over some scrapes, as a share of all tokens looked up."""
    counts = snapshot.values(metric, **labels)
    looked_up = snapshot.values("prefix_cache_queries_total")
    shares = []
    for end in range(len(counts)):
        start = max(0, end - WINDOW)
        if looked_up[end] < looked_up[start]:  # a restart: look only at what came after it
            start = next(n for n in range(end, -1, -1) if looked_up[n - 1] > looked_up[n])
        whole = looked_up[end] - looked_up[start]
        shares.append((counts[end] - counts[start]) / whole if whole else float("nan"))
    return shares


def _held_by_nobody(snapshot: Snapshot) -> list[float]:
    in_use = snapshot.values("blocks", state="in_use")
    running = snapshot.values("num_requests_running")
    return [0.0 if runs else used for used, runs in zip(in_use, running, strict=True)]


def _bar(axes: Axes, name: str, fires: list[bool]) -> None:
    """Draw a bar over each stretch of minutes in which an alert fires."""
    times, step = minutes(len(fires)), SCRAPE_S / 60
    bars = [(time, step) for time, fire in zip(times, fires, strict=True) if fire]
    axes.broken_barh(bars, (1.06, 0.06), color=COLOURS[5])
    axes.text(bars[0][0], 1.13, f"{name} fires", fontsize=7, color=INK, va="bottom")


def _plain(axes: Axes) -> None:
    axes.spines["top"].set_visible(False)
    axes.tick_params(labelsize=8)
