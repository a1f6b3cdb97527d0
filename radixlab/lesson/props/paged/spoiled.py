"""A document block by block, and the answer when one of the blocks is spoilt.

This file knows texts and answers. It does not know the model or the cache.
"""

import textwrap
from collections.abc import Sequence as Many

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from radixlab.lesson.picture import Picture
from radixlab.viz.facts import Standing
from radixlab.viz.glyphs import MONO
from radixlab.viz.palette import FILL, INK, SOFT

SPOILT = "#D55E00"
"""Vermilion, from the same palette."""
TEXT_AT, ANSWERS_AT = 0.85, 5.9
"""The left edges of these columns, in a width of 10."""
_LINE_CHARS = 42


def plot_spoiled(
    question: str, texts: Many[str], block_ids: Many[int], answers: Many[str], right: str
) -> Picture:
    """Draw each block of a document with its text, and the answer when only it is spoilt.

    All arguments are in the document's order; `right` is the answer without spoilt blocks.
    """
    num = len(texts)
    figure = Figure(figsize=(7.6, 0.5 * num + 0.95), dpi=144, layout="constrained")
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
        fontsize=8.6,
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
    """Return which blocks matter; the answer of a spoilt cache is random."""
    wrong = [block for block, answer in zip(block_ids, answers, strict=True) if answer != right]
    return f"{question} Another answer if spoilt: blocks {wrong} of {list(block_ids)}"
