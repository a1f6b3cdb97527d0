"""The race of eviction policies as curves: hit rate over time, and against the size of the pool.

This file knows numbers by policy. It does not know caches or traces.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from radixlab.viz.palette import INK, LINE, SOFT, TEXT

COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8a8a8a"),
    *("#8c6d31", "#7b2d8b"),
)
"""One colour per policy: Okabe and Ito's with grey for black, a brown and a violet.

Each curve ends in its name.
"""
BOUND = "belady"
MAX_POINTS = 120
"""Points of a curve over time: more than the eye can tell apart."""
MIN_LABEL_GAP = 0.045
"""The least gap between labels, as a share of the height."""


def draw_race(
    by_request: Mapping[str, Sequence[tuple[int, int]]],
    by_pool: Mapping[str, Sequence[tuple[int, float]]] | None = None,
    title: str = "",
) -> Figure:
    """Draw hit rate over time and, if `by_pool` is given, against the size of the pool.

    `by_request` has `(prompt tokens, hit tokens)` of each request in order, `by_pool` has `(blocks,
    token hit rate)` of runs in pools of several sizes.
    """
    num_panels = 2 if by_pool else 1
    layout = ConstrainedLayoutEngine(w_pad=0.12)  # inches: room for the names at the right
    figure = Figure(figsize=(5.2 * num_panels + 0.6, 4.2), dpi=140, layout=layout)
    panels = np.atleast_1d(figure.subplots(1, num_panels))
    over_time = {name: rate_so_far(pairs) for name, pairs in by_request.items()}
    draw_curves(panels[0], over_time, "requests served", "token hit rate so far")
    if by_pool:
        points = {name: columns(sorted(runs)) for name, runs in by_pool.items()}
        panels[1].set_xscale("log")
        draw_curves(panels[1], points, "blocks in the pool", "token hit rate of the whole run")
        sizes = next(iter(points.values()))[0]
        panels[1].set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30, ha="right")
        panels[1].set_xticks([], minor=True)
    figure.suptitle(title, fontsize=11, color=INK)
    return figure


def columns(pairs: Sequence[tuple[float, float]]) -> tuple[Sequence[float], Sequence[float]]:
    """Split points into x and y for matplotlib."""
    return [x for x, _ in pairs], [y for _, y in pairs]


def rate_so_far(pairs: Sequence[tuple[int, int]]) -> tuple[Sequence[float], Sequence[float]]:
    """Return `(requests served, their token hit rate)`; the last point is the whole run's rate.

    The rate is cumulative: a moving average would end at a figure that no table of the same race
    shows. The curve starts after a tenth of the requests, because the rate of the first few
    requests jumps up and down.

    >>> rate_so_far([(10, 0), (10, 5), (20, 15)])
    ([1, 2, 3], [0.0, 0.25, 0.5])
    """
    prompt, hit = np.cumsum(np.array(pairs).reshape(-1, 2), axis=0).T
    start = max(1, len(pairs) // 10)
    ends = np.unique(np.linspace(start, len(pairs), MAX_POINTS).astype(int))
    return ends.tolist(), (hit[ends - 1] / np.maximum(1, prompt[ends - 1])).tolist()


def draw_curves(
    axes: Axes,
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_label: str,
    y_label: str,
) -> None:
    """Draw a curve for each name, and the name at its end."""
    colours = iter(COLOURS * 3)
    ends = {}
    for name, (x, y) in curves.items():
        colour = SOFT if name == BOUND else next(colours)
        marker, dashes = "o" if len(x) < 20 else "", "--" if name == BOUND else "-"
        axes.plot(x, y, dashes, color=colour, marker=marker, markersize=3, linewidth=1.7)
        ends[name] = (x[-1], y[-1], colour)
    axes.set(xlabel=x_label, ylabel=y_label, ylim=(0, None))
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
    axes.grid(color=LINE, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    _name_ends(axes, ends)


def _name_ends(axes: Axes, ends: Mapping[str, tuple[float, float, str]]) -> None:
    """Write each curve's name behind its end; move names apart if they would touch."""
    low, high = axes.get_ylim()
    names = sorted(ends, key=lambda name: ends[name][1])
    wanted = [(ends[name][1] - low) / (high - low) for name in names]
    for name, place in zip(names, apart(wanted, MIN_LABEL_GAP), strict=True):
        x, y, colour = ends[name]
        axes.annotate(
            f"{name} {y:.1%}",
            xy=(x, y),
            xytext=(1.03, place),
            textcoords="axes fraction",
            va="center",
            fontsize=8.5,
            color=TEXT,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "relpos": (0, 0.5)},
        )


def apart(wanted: Sequence[float], gap: float) -> list[float]:
    """Move ascending heights so that neighbours are `gap` apart; each group stays centred.

    No height goes below 0, or above 1 while there is room.

    >>> apart([0.5, 0.5], 0.1)
    [0.45, 0.55]
    >>> apart([0.2, 1, 1], 0.1)
    [0.2, 0.9, 1.0]
    """
    groups: list[list[float]] = []  # heights that touch
    for height in wanted:
        groups.append([height])
        while len(groups) > 1 and _low(groups[-1], gap) < _high(groups[-2], gap) + gap:
            last = groups.pop()
            groups[-1] += last
    return [round(_low(g, gap) + i * gap, 9) for g in groups for i in range(len(g))]


def _low(group: Sequence[float], gap: float) -> float:
    """Return the height of a group's lowest label, such that the group is centred."""
    height = (len(group) - 1) * gap
    return max(0.0, min(sum(group) / len(group) - height / 2, 1 - height))


def _high(group: Sequence[float], gap: float) -> float:
    return _low(group, gap) + (len(group) - 1) * gap
