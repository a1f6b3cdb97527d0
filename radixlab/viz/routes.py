"""Rules of a router side by side: what the caches find, how even the work is, who waits how long.

This file knows numbers by rule. It does not know routers or replicas.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from radixlab.viz.palette import INK, LINE, TEXT
from radixlab.viz.race import COLOURS

MAX_POINTS = 200
"""Points of a curve: more than the eye can tell apart."""
LEAST_WAIT_S = 0.01
"""Shorter waits are drawn at the left edge."""
Numbers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class RouteCurves:
    """What a rule's row of the picture needs."""

    hit_rate: float
    requests_by_replica: Numbers
    wait_s: Numbers


def draw_routes(curves: Mapping[str, RouteCurves], title: str = "") -> Figure:
    """Draw three panels: hit rates, the share of each replica, and the waits."""
    layout = ConstrainedLayoutEngine(w_pad=0.12)
    figure = Figure(figsize=(12.6, 4.4), dpi=140, layout=layout)
    rates, shares, waits = figure.subplots(1, 3)
    colours = dict(zip(curves, COLOURS * 3, strict=False))
    _draw_rates(rates, curves, colours)
    for name, each in curves.items():
        _draw_shares(shares, name, each.requests_by_replica, colours[name])
        _draw_waits(waits, name, each.wait_s, colours[name])
    _name(shares, "replicas, the busiest first (share of all)", "its requests ÷ the mean")
    _name(waits, "wait until the prompt is begun, s", "share of requests that wait longer")
    shares.set_yscale("symlog", linthresh=2)
    shares.set_ylim(0, None)
    ticks = [tick for tick in (0, 1, 2, 5, 10, 20, 50, 100, 200, 500) if tick <= _highest(curves)]
    shares.set_yticks(ticks, [f"{tick}×" for tick in ticks])
    shares.set_yticks([], minor=True)
    waits.set(xscale="log", yscale="log", xlim=(LEAST_WAIT_S, None), ylim=(1e-3, 1))
    waits.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    waits.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    shares.legend(fontsize=8, frameon=False, labelcolor=TEXT)
    figure.suptitle("\n".join(textwrap.wrap(title, 130)), fontsize=10, color=INK)
    return figure


def _draw_rates(axes: Axes, curves: Mapping[str, RouteCurves], colours: Mapping[str, str]) -> None:
    """Draw a bar for each rule, with its figure."""
    names = list(curves)[::-1]
    rates = [curves[name].hit_rate for name in names]
    bars = axes.barh(names, rates, color=[colours[name] for name in names], height=0.65)
    axes.bar_label(bars, [f"{rate:.1%}" for rate in rates], padding=3, fontsize=8.5, color=TEXT)
    axes.set_xlim(0, 1.2 * max([*rates, 0.01]))
    axes.set_xlabel("token hit rate")
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_shares(axes: Axes, name: str, requests: Numbers, colour: str) -> None:
    mean = max(float(np.mean(requests)), 1e-9)
    ordered = np.sort(requests)[::-1] / mean
    chosen = _spread(len(ordered))
    axes.plot(chosen / len(ordered), ordered[chosen], color=colour, linewidth=1.5, label=name)


def _draw_waits(axes: Axes, name: str, wait_s: Numbers, colour: str) -> None:
    if not len(wait_s):
        return
    ordered = np.sort(wait_s)
    is_longer = 1 - np.geomspace(1, 1 / max(2, len(ordered)), MAX_POINTS)
    at = np.minimum(len(ordered) - 1, (is_longer * len(ordered)).astype(int))
    x = np.maximum(ordered[at], LEAST_WAIT_S)
    axes.plot(x, np.maximum(1 - is_longer, 1e-4), color=colour, linewidth=1.5, label=name)


def _spread(number: int) -> npt.NDArray[np.int64]:
    """Return indices from first to last, close together at the start."""
    steps = np.unique(np.geomspace(1, max(1, number), MAX_POINTS).astype(np.int64)) - 1
    return np.unique(np.append(steps, np.linspace(0, number - 1, MAX_POINTS).astype(np.int64)))


def _highest(curves: Mapping[str, RouteCurves]) -> float:
    peaks = (np.max(c.requests_by_replica) / max(1e-9, np.mean(c.requests_by_replica))
             for c in curves.values())  # fmt: skip
    return max([2.0, *map(float, peaks)])


def _name(axes: Axes, x: str, y: str) -> None:
    axes.set(xlabel=x, ylabel=y)
    axes.grid(color=LINE, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
