"""The other of two runs in a still picture: small blocks in the corners of the map's blocks.

This file knows how such a corner is drawn; `ghost` knows what the other run has.
"""

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from radixlab.viz.block_map import Grid, Rect, draw_blocks, write
from radixlab.viz.ghost import OTHER_TOKENS, Ghost
from radixlab.viz.palette import INK, PAPER


def draw_ghost(axes: Axes, ghost: Ghost, grid: Grid, x: float, y: float) -> None:
    """Draw what the other run has into the upper left corner of each block where that differs.

    Where a cell stands for several blocks, nothing is drawn: the line beside the map counts them.
    """
    if grid.per_cell > 1:
        return
    side = max(4, round(0.3 * grid.side))
    blocks: list[tuple[int, Rect]] = []
    others: list[Rect] = []
    for block, kind in enumerate(ghost.kinds):
        if kind is None:
            continue
        row, column = divmod(block, grid.columns)
        rect = (x + column * grid.side, y + row * grid.side, side, side)
        (others.append(rect) if kind == OTHER_TOKENS else blocks.append((block, rect)))
    _backs(axes, [*(rect for _, rect in blocks), *others])
    draw_blocks(axes, ghost.facts, blocks, numbers=False)
    for left, top, wide, _ in others if side >= 7 else []:
        write(axes, left + wide / 2, top + wide / 2, "≠", 5, INK, ha="center", zorder=4)


def _backs(axes: Axes, rects: list[Rect]) -> None:
    """Draw white squares with dashed edges, which the other run's blocks lie on."""
    shapes = [[(x, y), (x + w, y), (x + w, y + h), (x, y + h)] for x, y, w, h in rects]
    squares = PolyCollection(shapes, facecolor=PAPER, edgecolor=INK, linewidth=0.6)
    squares.set_linestyle((0, (2, 1)))
    axes.add_collection(squares)
