"""What the policy `adaptive` has learned of its traffic, as a life table draws it, for lesson 05.

A *life* here is the time that a block waits to be used again. This file knows the policy's table;
it does not know caches or traffic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from radixlab.cache.eviction import Adaptive
from radixlab.cache.eviction.life_table import (
    AGES,
    NUM_KINDS,
    FloatArray,
    unused,
)
from radixlab.lesson.picture import Picture
from radixlab.viz.palette import INK
from radixlab.viz.race import draw_curves

FEWEST = 0.01
"""A curve ends where less than this share of its blocks has been watched for so long."""
KINDS = {"used once": (0, 1), "2 to 4 times": (1, 3), "5 times or more": (3, NUM_KINDS)}
"""Rows of the table that a curve puts together, by how often its blocks were used until then."""


@dataclass(frozen=True, slots=True)
class Life:
    """Blocks that were used about equally often, and how long they wait for the next use."""

    uses: str
    """How often, as in `KINDS`."""
    num_blocks: float
    """Blocks times uses that the table knows; those of long ago count less."""
    ages: Sequence[int]
    """Ticks since the last use, rising."""
    unused: Sequence[float]
    """The share of blocks that is not used again before each of these ages."""

    def used_within(self, ticks: int) -> float:
        """Return the share that is used again within so many ticks, or while it was watched.

        >>> Life("used once", 10, (1, 2, 4), (1.0, 0.75, 0.25)).used_within(3)
        0.25
        """
        known = [share for age, share in zip(self.ages, self.unused, strict=True) if age <= ticks]
        return 1 - known[-1] if known else 0.0


def lives(policy: Adaptive) -> list[Life]:
    """Read what a policy has learned: a `Life` for each of `KINDS` that it knows.

    Blocks that still wait count too, up to the age that they have, as in the policy itself.
    """
    hits, reached = policy.learned()
    every = [
        _life(uses, hits[low:high].sum(0), reached[low:high].sum(0))
        for uses, (low, high) in KINDS.items()
    ]
    return [life for life in every if life.num_blocks]


def _life(uses: str, hits: FloatArray, reached: FloatArray) -> Life:
    """Multiply the chances: a block that is unused at an age was unused at all ages before."""
    share = unused(hits, reached)
    entered = np.cumsum(reached[::-1])[::-1]  # [ages]: blocks that were watched at each
    num_ages = int((entered[:-1] > FEWEST * entered[0]).sum())
    return Life(uses, float(entered[0]), AGES[:num_ages], share[:num_ages].tolist())


def draw_lives(learned: Mapping[str, Sequence[Life]]) -> Picture:
    """Draw a panel for each kind of traffic, with a curve for each kind of block."""
    layout = ConstrainedLayoutEngine(w_pad=0.12)  # inches: the names at the right need air
    figure = Figure(figsize=(5.2 * len(learned) + 0.6, 4.2), dpi=140, layout=layout)
    panels = figure.subplots(1, len(learned), squeeze=False)[0]
    for axes, (traffic, every) in zip(panels, learned.items(), strict=True):
        curves = {f"{life.uses}:": (life.ages, life.unused) for life in every}
        axes.set_xscale("log", base=2)
        draw_curves(axes, curves, "ticks since the last use", "share not used again yet")
        axes.set(ylim=(0, 1.03))
        axes.set_title(traffic, fontsize=11, color=INK)
        axes.xaxis.set_major_formatter(lambda ticks, _: f"{ticks:,.0f}")
    text = "\n".join(
        f"{traffic}, {life.uses}: {life.num_blocks:,.0f} blocks, "
        f"{life.unused[-1]:.0%} not used again after {life.ages[-1]:,} ticks"
        for traffic, every in learned.items()
        for life in every
    )
    return Picture.of(figure, text)
