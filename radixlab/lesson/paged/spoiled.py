"""A document block by block, and what is answered when one of them is spoilt.

Knows texts and answers; no model, no cache.
"""

import textwrap
from collections.abc import Sequence as Many

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from radixlab.lesson.picture import Picture
from radixlab.viz.block_map import MONO
from radixlab.viz.facts import Standing
from radixlab.viz.palette import FILL, INK, SOFT

SPOILT = "#D55E00"
"""Vermilion, of the same palette."""
TEXT_AT, ANSWERS_AT = 0.85, 5.9
"""Where these columns begin, of a width of 10."""
_LINE_CHARS = 52


def plot_spoiled(
    question: str, texts: Many[str], block_ids: Many[int], answers: Many[str], right: str
) -> Picture:
    """Draw each block of a document with its text, and the answer when just this one is spoilt.

    All sequences are in the document's order; `right` is the answer when none is.
    """
    num = len(texts)
    figure = Figure(figsize=(7.6, 0.4 * num + 0.95), dpi=144, layout="constrained")
    axes = figure.subplots()
    for row, (text, block, answer) in enumerate(zip(texts, block_ids, answers, strict=True)):
        _draw_row(axes, row, text, block, answer, changed=answer != right)
    axes.set(xlim=(0, 10), ylim=(num, -0.75))
    axes.axis("off")
    heads = ((0.35, "block"), (ANSWERS_AT, "the answer if it is spoilt"))
    for x, head in heads:
        align = "center" if x < TEXT_AT else "left"
        axes.text(x, -0.35, head, ha=align, va="center", fontsize=9, color=SOFT)
    figure.suptitle(question, fontsize=10.5, color=INK, parse_math=False)
    return Picture.of(figure, _text(question, block_ids, answers, right))


def _draw_row(axes: Axes, row: int, text: str, block: int, answer: str, changed: bool) -> None:
    color = SPOILT if changed else FILL[Standing.CACHED]
    box = FancyBboxPatch(
        (0.08, row + 0.1), 0.54, 0.8, boxstyle="round,pad=0,rounding_size=0.1", color=color
    )
    axes.add_patch(box)
    bold = "bold" if changed else "normal"
    axes.text(0.35, row + 0.5, str(block), ha="center", va="center", fontsize=9, color=INK)
    axes.text(
        TEXT_AT,
        row + 0.5,
        textwrap.fill(text, _LINE_CHARS),
        va="center",
        fontsize=7.5,
        family=MONO,
        color=INK,
        parse_math=False,
    )
    axes.text(
        ANSWERS_AT,
        row + 0.5,
        textwrap.fill(answer, 36),
        va="center",
        fontsize=9,
        weight=bold,
        color=SPOILT if changed else INK,
        parse_math=False,
    )


def _text(question: str, block_ids: Many[int], answers: Many[str], right: str) -> str:
    """Say which blocks matter; what a spoilt cache answers in their place is chance."""
    wrong = [block for block, answer in zip(block_ids, answers, strict=True) if answer != right]
    return f"{question} Another answer if spoilt: blocks {wrong} of {list(block_ids)}"
