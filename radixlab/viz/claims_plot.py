"""Claims on trial as pictures: where each holds, and what breaks it.

This file knows figures with a bound. It does not know how they were measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from radixlab.viz.palette import GREEN, INK, LINE, SOFT
from radixlab.viz.race import COLOURS

FAILS = "#D55E00"
PAGE = 10.6
"""Inches: a notebook shows a figure as wide as this on 1,000 pixels, so that 8-point letters read.
"""


@dataclass(frozen=True, slots=True)
class Dots:
    """One claim on several workloads: a dot for each."""

    title: str
    subtitle: str
    bound: float
    is_share: bool
    """Shares have a linear axis in per cent, and ratios a logarithmic one."""
    points: Sequence[tuple[str, float, bool]]
    """Workload, figure, and whether the claim holds."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Several claims while one thing changes: each figure as a multiple of its bound."""

    title: str
    steps: Sequence[int]
    margins: Sequence[tuple[str, Sequence[float]]]
    """Claim, and by step how many times its bound the figure reaches; 1 just holds."""


def draw_dots(panels: Sequence[Dots]) -> Figure:
    """Draw a column of dots for each claim; all columns have the same workloads as rows."""
    figure = Figure(figsize=(PAGE, _height(panels)), dpi=140, layout="constrained")
    _fill_dots(figure, panels)
    return figure


def draw_lines(panels: Sequence[Lines]) -> Figure:
    """Draw a panel for each condition."""
    figure = Figure(figsize=(PAGE, 2.4 * -(-len(panels) // 3) + 0.4), dpi=140, layout="constrained")
    _fill_lines(figure, panels)
    return figure


def draw_both(dots: Sequence[Dots], lines: Sequence[Lines]) -> Figure:
    """Draw where each claim holds, and below it what breaks it."""
    heights = _height(dots), 2.4 * -(-len(lines) // 3) + 0.4
    figure = Figure(figsize=(PAGE, sum(heights)), dpi=140, layout="constrained")
    above, below = np.asarray(figure.subfigures(2, 1, height_ratios=heights)).tolist()
    _fill_dots(above, dots)
    _fill_lines(below, lines)
    return figure


def _height(panels: Sequence[Dots]) -> float:
    return 1.1 + 0.24 * len(panels[0].points)


def _fill_dots(figure: Figure | SubFigure, panels: Sequence[Dots]) -> None:
    columns = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(columns, panels, strict=True):
        for row, (_, figure_, holds) in enumerate(panel.points):
            colour, marker = (GREEN, "o") if holds else (FAILS, "X")
            axes.plot(figure_, row, marker, color=colour, markersize=7, clip_on=False)
        axes.axvline(panel.bound, color=INK, linewidth=0.9, linestyle="--")
        if panel.is_share:
            axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g}%")
            axes.set_xlim(left=0)
        else:
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}×")
        axes.set_title(panel.title, loc="left", fontsize=10, color=INK)
        axes.set_xlabel(panel.subtitle, fontsize=8)
        _plain(axes)
    columns[0].set_yticks(range(len(panels[0].points)), [name for name, *_ in panels[0].points])
    columns[0].invert_yaxis()


def _fill_lines(figure: Figure | SubFigure, panels: Sequence[Lines]) -> None:
    num_rows = -(-len(panels) // 3)
    top = max(max(margins) for panel in panels for _, margins in panel.margins)
    every = figure.subplots(num_rows, 3, sharey=True, squeeze=False).flatten()
    colours = _colours(panels)
    named: set[str] = set()
    for axes, panel in zip(every, panels, strict=False):
        _fill_panel(axes, panel, colours)
        _name_new(axes, named)
    for axes in every[len(panels) :]:
        axes.axis("off")
    for axes in every[: len(panels) : 3]:
        axes.set_ylabel("times as good as its bound", fontsize=8, color=SOFT)
    every[0].set_ylim(0, 1.05 * max(1.0, top))  # all panels share it


def _colours(panels: Sequence[Lines]) -> dict[str, str]:
    """Give each claim one colour, the same in all panels."""
    names = dict.fromkeys(name for panel in panels for name, _ in panel.margins)
    return dict(zip(names, COLOURS, strict=False))


def _fill_panel(axes: Axes, panel: Lines, colours: dict[str, str]) -> None:
    places = range(len(panel.steps))
    for name, margins in panel.margins:
        (curve,) = axes.plot(places, margins, "o-", color=colours[name], label=name, markersize=4)
        curve.set(linewidth=1.6, clip_on=False, zorder=3)  # a dot at 0 is drawn whole
    axes.axhline(1, color=INK, linewidth=0.9, linestyle="--")
    _beside_the_bound(axes, "holds", above=True)
    _beside_the_bound(axes, "fails", above=False)
    axes.set_xticks(places, [f"{step:,}" for step in panel.steps])
    axes.set_title(panel.title, loc="left", fontsize=9.5, color=INK)
    _plain(axes)


def _beside_the_bound(axes: Axes, word: str, *, above: bool) -> None:
    """Write at the panel's right edge on which side of the dashed line a claim holds."""
    text = axes.annotate(
        word,
        xy=(1, 1),
        xycoords=("axes fraction", "data"),
        xytext=(3, 6 if above else -6),
        textcoords="offset points",
    )
    text.set(va="center", fontsize=8, color=SOFT)


def _name_new(axes: Axes, named: set[str]) -> None:
    """Name the curves that no earlier panel has named; a name keeps its colour."""
    handles, names = axes.get_legend_handles_labels()
    new = {name: handle for handle, name in zip(handles, names, strict=True) if name not in named}
    named.update(new)
    if new:
        axes.legend(new.values(), new.keys(), frameon=False, fontsize=8, loc="best")


def _plain(axes: Axes) -> None:
    axes.grid(color=LINE, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
