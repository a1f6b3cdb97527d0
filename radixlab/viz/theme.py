"""Figures that can be read on a light page and on a dark one.

A PNG cannot follow the page's theme. So the page shows through it, and what lies on the page has a
grey in the middle: its contrast is at least 4 to white, and to the dark theme's #111111.
"""

from collections.abc import Iterator

import matplotlib.patheffects as effects
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from radixlab.viz.palette import PAPER, TEXT

_HALO = 2.0
"""Points of white around a dark text that may lie on a coloured area."""


def on_any_page(figure: Figure) -> Figure:
    """Let the page show through a figure, and turn what is black or grey on it into `TEXT`."""
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        _clear(axes)
    inside = {id(text) for axes in figure.axes for text in axes.texts}
    for text in _texts(figure):
        if not is_grey(text.get_color()) or text.get_color() == TEXT:
            continue
        if id(text) in inside:
            text.set_path_effects([effects.withStroke(linewidth=_HALO, foreground=PAPER)])
        else:
            text.set_color(TEXT)
    return figure


def is_grey(color: object) -> bool:
    """Tell a neutral colour from one that means something.

    >>> is_grey("#59636e"), is_grey("#0072B2")
    (True, False)
    """
    try:
        parts = to_rgb(color)  # type: ignore[arg-type]
    except ValueError:
        return False
    return max(parts) - min(parts) < 0.12


def _texts(figure: Figure) -> Iterator[Text]:
    for artist in figure.findobj(Text):
        assert isinstance(artist, Text)
        yield artist


def _clear(axes: Axes) -> None:
    axes.patch.set_alpha(0)
    for spine in axes.spines.values():
        if is_grey(spine.get_edgecolor()):
            spine.set_edgecolor(TEXT)
    for axis in (axes.xaxis, axes.yaxis):
        _clear_axis(axis)
    for line in axes.lines:
        _clear_line(line)
    if (legend := axes.get_legend()) is not None:
        legend.get_frame().set_alpha(0)


def _clear_axis(axis: Axis) -> None:
    """Set the colours of ticks and grid lines, which are made only when they are drawn."""
    for which in ("major", "minor"):
        known = axis.get_tick_params(which=which)
        if is_grey(known.get("color", "black")):
            axis.set_tick_params(which=which, color=TEXT)
        if is_grey(known.get("labelcolor", "black")):
            axis.set_tick_params(which=which, labelcolor=TEXT)
        axis.set_tick_params(which=which, grid_color=TEXT, grid_alpha=0.35)


def _clear_line(line: Line2D) -> None:
    if line.get_linestyle() != "None" and is_grey(line.get_color()):
        line.set_color(TEXT)
