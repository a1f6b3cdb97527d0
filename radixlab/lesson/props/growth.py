"""Costs against size on log-log axes, for lesson 07. This file knows numbers only."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from radixlab.lesson.picture import Picture
from radixlab.viz.palette import BLUE, GREEN, INK, LINE, SOFT


def plot_growth(
    sizes: Sequence[int], counts: Mapping[str, Sequence[float]], x_label: str, y_label: str
) -> Picture:
    """Draw a line per algorithm; slope 1 means that the cost is proportional to the size."""
    figure = Figure(figsize=(6.4, 3.4), dpi=120, layout="constrained")
    axes = figure.subplots()
    for (name, values), colour in zip(counts.items(), (SOFT, GREEN, BLUE), strict=False):
        axes.plot(sizes, values, "o-", color=colour, linewidth=1.8, markersize=4)
        axes.annotate(
            f"  {name}", (sizes[-1], values[-1]), color=INK, va="center", annotation_clip=False
        )
    axes.set(xscale="log", yscale="log", xlabel=x_label, ylabel=y_label)
    axes.grid(color=LINE, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    text = "\n".join(f"{name}: {_points(sizes, values)}" for name, values in counts.items())
    return Picture.of(figure, text)


def _points(sizes: Sequence[int], values: Sequence[float]) -> str:
    return ", ".join(f"{value:g} at {size:,}" for size, value in zip(sizes, values, strict=True))
