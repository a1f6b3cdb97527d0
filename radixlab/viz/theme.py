"""Figures that can be read on a light page and on a dark one.

A PNG cannot follow the page's theme. So the page shows through it, and what lies on the page has a
grey in the middle: its contrast is at least 4 to white, and to the dark theme's #111111. A text on
a coloured area stays dark, and has a white edge.
"""

from collections.abc import Iterator
from typing import Any

import matplotlib.patheffects as effects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from radixlab.viz.palette import PAPER, TEXT

_HALO = 2.0
"""Points of white around a dark text that lies on a coloured area."""

_COVERED = 0.25
"""Share of a text's box that is drawn on; grid lines and curves that cross it cover less."""


def on_any_page(figure: Figure) -> Figure:
    """Let the page show through a figure, and turn what is black or grey on it into `TEXT`."""
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        _clear(axes)
    grey = [t for t in _texts(figure) if is_grey(t.get_color()) and t.get_color() != TEXT]
    inside = {id(text) for axes in figure.axes for text in axes.texts}
    covered = _covered(figure, [text for text in grey if id(text) in inside])
    for text in grey:
        if id(text) in covered:
            text.set_path_effects([effects.withStroke(linewidth=_HALO, foreground=PAPER)])
        else:
            text.set_color(TEXT)
    return figure


def _covered(figure: Figure, texts: list[Text]) -> set[int]:
    """Return the ids of the texts that lie on something drawn: the figure is drawn without them."""
    if not texts:
        return set()
    alphas = [text.get_alpha() for text in texts]
    for text in texts:
        text.set_alpha(0)  # it keeps its room in the layout
    canvas: Any = FigureCanvasAgg(figure)  # its methods have no types
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[::-1, :, 3] > 0  # the lowest row first
    for text, alpha in zip(texts, alphas, strict=True):
        text.set_alpha(alpha)
    return {id(text) for text in texts if _share(drawn, text, canvas) > _COVERED}


def _share(drawn: np.ndarray, text: Text, canvas: Any) -> float:
    """Return how much of a text's box is drawn on."""
    box = Text.get_window_extent(text, canvas.get_renderer())
    left, bottom = max(0, int(box.x0)), max(0, int(box.y0))
    under = drawn[bottom : max(0, int(box.y1)) + 1, left : max(0, int(box.x1)) + 1]
    return float(under.mean()) if under.size else 0.0


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
