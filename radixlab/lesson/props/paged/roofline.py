"""The roofline: the best speed of a machine, by the FLOPs per byte read.

The idea comes from Williams, Waterman and Patterson, Roofline, CACM 2009. This file measures
nothing.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radixlab.bench.attention_clocks import Roofs
from radixlab.lesson.picture import Picture
from radixlab.viz.palette import BLUE, GREEN, INK, LINE, SOFT


@dataclass(frozen=True, slots=True)
class Attained:
    """A kernel's point under the roof."""

    name: str
    num_bytes: float
    flops: float
    time_us: float | None = None
    """None for a computed point, which lies on the roof."""

    @property
    def intensity(self) -> float:
        """FLOPs per byte read."""
        return self.flops / self.num_bytes

    def flops_per_s(self, roofs: Roofs) -> float:
        """Return the measured FLOP/s, or the limit of the roof."""
        at_best = roofs.floor_us(self.num_bytes, self.flops)
        return 1e6 * self.flops / (self.time_us or at_best)


def ridge(roofs: Roofs) -> float:
    """Return the FLOPs per byte above which arithmetic, not memory, is the limit."""
    return roofs.flops_per_s / roofs.bytes_per_s


def plot_roofline(roofs: Roofs, points: Many[Attained], title: str) -> Picture:
    """Draw the slanted roof of memory, the flat one of arithmetic, and the points below."""
    figure = Figure(figsize=(6.8, 3.7), dpi=144, layout="constrained")
    axes = figure.subplots()
    low, high = 0.5, max(4 * ridge(roofs), 2 * max(point.intensity for point in points))
    corner = [low, ridge(roofs), high]
    axes.plot(
        corner, [min(x * roofs.bytes_per_s, roofs.flops_per_s) for x in corner], color=INK, lw=1.8
    )
    _mark_ridge(axes, roofs)
    for point in points:
        _mark(axes, roofs, point)
    axes.set(xscale="log", yscale="log", xlim=(low, high))
    axes.set_xlabel("FLOPs for each byte of KV read", color=INK)
    axes.set_ylabel("FLOP/s", color=INK)
    axes.set_ylim(low * roofs.bytes_per_s / 8, roofs.flops_per_s * 3)
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.grid(color=LINE, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=SOFT)
    rows = [f"  {point.name}: {point.intensity:.1f} FLOPs a byte" for point in points]
    return Picture.of(figure, "\n".join([f"{title}; ridge at {ridge(roofs):.0f}", *rows]))


def _mark_ridge(axes: Axes, roofs: Roofs) -> None:
    axes.axvline(ridge(roofs), color=LINE, linestyle="--", linewidth=1, zorder=0)
    y = roofs.flops_per_s * 1.6
    axes.text(ridge(roofs) * 0.94, y, "memory is the limit", ha="right", fontsize=8.5, color=SOFT)
    axes.text(ridge(roofs) * 1.06, y, "arithmetic", fontsize=8.5, color=SOFT)


def _mark(axes: Axes, roofs: Roofs, point: Attained) -> None:
    """Draw a point, filled if it was measured, with its name on the side with more room."""
    y = point.flops_per_s(roofs)
    measured = point.time_us is not None
    color = GREEN if measured else BLUE
    fill = color if measured else "none"
    axes.plot(point.intensity, y, "o", ms=8, color=color, mfc=fill, mew=1.8, zorder=3)
    below = measured or point.intensity > ridge(roofs)
    axes.annotate(
        point.name,
        (point.intensity, y),
        xytext=(7, -13) if below else (-8, 5),
        textcoords="offset points",
        ha="left" if below else "right",
        fontsize=9,
        color=INK,
    )
