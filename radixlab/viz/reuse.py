"""What LRU finds of a workload, against the size of the pool.

This file knows summaries of workloads; it does not know caches.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from radixlab.viz.palette import INK
from radixlab.viz.race import draw_curves
from radixlab.workloads.summary import WorkloadSummary

MAX_POINTS = 200


def draw_reuse(summaries: Mapping[str, WorkloadSummary], title: str = "") -> Figure:
    """Draw a curve for each: the share of prompt tokens whose reuse distance is within a pool.

    A curve ends at the shared share, which no pool passes.
    """
    layout = ConstrainedLayoutEngine(w_pad=0.12)  # inches: the names at the right need air
    figure = Figure(figsize=(6.6, 3.8), dpi=140, layout=layout)
    axes = figure.subplots()
    most = max((s.distinct_blocks for s in summaries.values()), default=1)
    pools = np.unique(np.geomspace(10, max(20, most), MAX_POINTS).astype(int)).tolist()
    curves = {name: (pools, [s.found_within(n) for n in pools]) for name, s in summaries.items()}
    axes.set_xscale("log")
    draw_curves(axes, curves, "blocks in the pool", "share of prompt tokens found by LRU")
    axes.xaxis.set_major_formatter(lambda value, _: short(value))
    figure.suptitle(title, fontsize=11, color=INK)
    return figure


def short(number: float) -> str:
    """Write a power of ten so that neighbours do not touch.

    >>> [short(10**power) for power in range(8)]
    ['1', '10', '100', '1k', '10k', '100k', '1M', '10M']
    """
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:g}{name}"
    return f"{number:g}"
