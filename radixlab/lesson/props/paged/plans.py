"""Two pictures of reads: a decode plan, and the prefill of new tokens on a cached prefix.

This file knows plans and counts. It does not know caches or tensors.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from radixlab.attention import DecodePlan
from radixlab.lesson.picture import Picture
from radixlab.viz.facts import Standing
from radixlab.viz.palette import FILL, INK, LINE, SOFT

SHARED = FILL[Standing.CACHED]
OWN = "#7fcfb6"
"""The palette's green, paler, so that black text on it can be read."""
NOT_DONE = FILL[Standing.FREE]


@dataclass(frozen=True, slots=True)
class _Span:
    name: str
    start: int
    """Its start in its readers' prompts, in tokens."""
    tokens: int
    top: int
    """The lowest rank that reads it."""
    readers: int

    @property
    def color(self) -> str:
        return SHARED if self.readers > 1 else OWN

    @property
    def bottom(self) -> int:
        return self.top + self.readers


def plot_plan(plan: DecodePlan, title: str = "") -> Picture:
    """Draw the spans of a plan as parts of the prompts, and beside them their readers.

    On the left, the width of a span is its tokens and its height its readers: this is the tree. On
    the right, a span is a column: one read, and a dot for each part.
    """
    spans = _spans(plan)
    num_queries = len(plan.order)
    figure = Figure(figsize=(7.6, 0.36 * num_queries + 1.4), dpi=144, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.2, 1))
    _draw_prompts(left, spans)
    _draw_reads(right, spans, num_queries)
    for axes in (left, right):
        axes.set_ylim(num_queries, 0)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelsize=8.5, colors=SOFT)
    left.set_yticks(
        [rank + 0.5 for rank in range(num_queries)], [f"request {row}" for row in plan.order]
    )
    if title:
        figure.suptitle(f"{title}: {plan.kv_tokens_read} KV tokens read", fontsize=10.5, color=INK)
    return Picture.of(figure, _plan_text(plan, spans))


def _spans(plan: DecodePlan) -> list[_Span]:
    """Name the spans; a span begins at the end of the previous span of its first reader."""
    found: list[_Span] = []
    columns = (plan.num_tokens, plan.first_query, plan.num_queries)
    for number, (tokens, top, readers) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True)
    ):
        start = sum(span.tokens for span in found if span.top <= top < span.bottom)
        found.append(_Span(chr(ord("A") + number), start, tokens, top, readers))
    return found


def _plan_text(plan: DecodePlan, spans: list[_Span]) -> str:
    rows = plan.order.tolist()
    lines = [f"{plan.num_spans} spans, {plan.kv_tokens_read} KV tokens read"]
    for span in spans:
        readers = ", ".join(str(row) for row in rows[span.top : span.bottom])
        word = "requests" if span.readers > 1 else "request"
        lines.append(f"  {span.name}: {span.tokens:2} tokens from {span.start:2}, {word} {readers}")
    return "\n".join(lines)


def _draw_prompts(axes: Axes, spans: list[_Span]) -> None:
    for span in spans:
        box = (span.start + 0.3, span.top + 0.06)
        axes.add_patch(_box(box, span.tokens - 0.6, span.readers - 0.12, span.color))
        axes.text(
            span.start + span.tokens / 2,
            span.top + span.readers / 2,
            f"{span.name} · {span.tokens}",
            ha="center",
            va="center",
            fontsize=9,
            color=INK,
        )
    axes.set_xlim(0, max(span.start + span.tokens for span in spans) + 1)
    axes.set_xlabel("position in the prompt, tokens", fontsize=8.5, color=SOFT)
    axes.set_title("where the spans lie", fontsize=9.5, color=INK)


def _draw_reads(axes: Axes, spans: list[_Span], num_queries: int) -> None:
    for rank in range(num_queries):
        axes.plot([0, len(spans)], [rank + 0.5] * 2, color=LINE, linewidth=0.8, zorder=0)
        parts = sum(span.top <= rank < span.bottom for span in spans)
        merged = f"merges {parts}" if parts > 1 else "nothing to merge"
        axes.text(len(spans) + 0.15, rank + 0.5, merged, va="center", fontsize=8.5, color=SOFT)
    for column, span in enumerate(spans):
        axes.add_patch(_box((column + 0.2, span.top + 0.14), 0.6, span.readers - 0.28, span.color))
        dots = [rank + 0.5 for rank in range(span.top, span.bottom)]
        axes.plot([column + 0.5] * len(dots), dots, "o", color=INK, markersize=4)
    axes.set_xlim(0, len(spans) + 2.2)
    names = [span.name for span in spans]
    axes.set_xticks([column + 0.5 for column in range(len(spans))], names)
    axes.set_xlabel("spans: a column is one read", fontsize=8.5, color=SOFT)
    axes.set_title("who reads which", fontsize=9.5, color=INK)


def _box(corner: tuple[float, float], width: float, height: float, color: str) -> FancyBboxPatch:
    return FancyBboxPatch(
        corner,
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.12",
        facecolor=color,
        edgecolor="none",
    )


def plot_prefill(num_cached: int, num_new: int) -> Picture:
    """Draw queries against keys: the pairs that the cache saves, and those to be computed."""
    total = num_cached + num_new
    query, key = np.mgrid[:total, :total]
    is_new = query >= num_cached
    kind = np.where(is_new, np.where(key < num_cached, 2, 3), 1)  # saved, over the prefix, own
    kind[key > query] = 0  # later: the mask hides it
    figure = Figure(figsize=(5.6, 3.9), dpi=144, layout="constrained")
    axes = figure.subplots()
    colors = ListedColormap(["#ffffff00", NOT_DONE, SHARED, OWN])
    axes.imshow(kind, cmap=colors, extent=(0, total, total, 0), interpolation="none")
    saved, prefix, own = (int((kind == i).sum()) for i in (1, 2, 3))
    notes = [
        (num_cached * 0.36, num_cached * 0.68, f"not computed\n{saved:,}"),
        (num_cached / 2, num_cached + num_new / 2, f"new queries over cached keys: {prefix:,}"),
        (total + 1, num_cached + num_new / 2, f"over each\nother: {own:,}"),
        (total * 0.7, total * 0.22, "later keys:\nhidden"),
    ]
    for x, y, text in notes:
        align = "left" if x > total else "center"
        axes.text(x, y, text, ha=align, va="center", fontsize=8.5, color=INK)
    ticks = [0, num_cached, total]
    axes.set(xlabel="keys", ylabel="queries", xticks=ticks, yticks=ticks)
    axes.tick_params(length=3, labelsize=8.5, colors=SOFT)
    axes.spines[:].set_color(LINE)
    counts = f"{prefix} over cached keys, {own} over each other, {saved} not computed"
    return Picture.of(figure, f"pairs of query and key: {counts}")
