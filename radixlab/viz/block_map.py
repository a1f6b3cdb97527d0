"""The physical blocks, drawn with matplotlib: the map of the pool, and the sequences' block tables.

This file knows how a block is drawn, by colour and by shape, on axes whose unit is a pixel and
whose y points down. A free block is pale and a cached one plain. A block in use has a dark corner,
a private block an outline, a shared block its count, and a block that is being copied an arrow.
Blocks on the host are dotted.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from radixlab.observe.state import SequenceState, State
from radixlab.viz.facts import BlockFacts, Standing
from radixlab.viz.glyphs import MONO, drawable
from radixlab.viz.palette import BLUE, FILL, GREEN, INK, LEGEND, ON_PAGE, PAPER, TEXT
from radixlab.viz.text import Decode, count, tokens_text

_SIDES = (28, 27, 26, 25, 24, 20, 16, 13, 11, 9, 7)
_MOST_HEIGHT = 250
_MOST_CELLS = 4096
_CHIP_W, _CHIP_H = 44, 40
_MOST_CHIPS = 32
_SEQ_HEAD = 136

_LEGEND_CHAR = 6.2  # roughly, in pixels, at 8 points

_TWO_READERS = Counter({0: 2})  # the legend's sample of a shared block

Rect = tuple[float, float, float, float]  # x, y, width, height


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of a map: `per_cell` blocks each, `side` pixels wide."""

    side: int
    columns: int
    rows: int
    cells: int
    per_cell: int


def grid_of(num_blocks: int, width: int) -> Grid:
    """Choose cells as large as the height allows, or slightly smaller if that saves a row.

    For a huge pool, each cell stands for many blocks.

    >>> grid_of(64, 832)
    Grid(side=26, columns=32, rows=2, cells=64, per_cell=1)
    """
    per_cell = -(-num_blocks // _MOST_CELLS)
    cells = -(-num_blocks // per_cell)
    grids = []
    for side in _SIDES:
        columns = max(1, min(cells, width // side))
        grids.append(Grid(side, columns, -(-cells // columns), cells, per_cell))
    fitting = [grid for grid in grids if grid.rows * grid.side <= _MOST_HEIGHT] or grids[-1:]
    alike = [grid for grid in fitting if grid.side > 0.85 * fitting[0].side]
    return min(alike, key=lambda grid: grid.rows)


def write(
    axes: Axes, x: float, y: float, text: str, size: float = 9, color: str = TEXT, **style: object
) -> None:
    """Write text literally: token text is untrusted, and a `$` in it must not start a formula."""
    options = {"va": "center", "parse_math": False, "clip_on": True} | style
    axes.text(x, y, text, fontsize=size, color=color, **options)  # type: ignore[arg-type]


def draw_map(
    axes: Axes,
    facts: BlockFacts,
    grid: Grid,
    x: float,
    y: float,
    copies: Sequence[tuple[int, int]] = (),
) -> None:
    """Draw every block in its cell, and an arrow for each pending copy `(src, dst)`."""
    if grid.per_cell > 1:
        _draw_shares(axes, facts, grid, x, y)
        return
    gap = 3 if grid.side > 9 else 1
    rects: list[tuple[int, Rect]] = []
    for block in range(len(facts.standing)):
        row, column = divmod(block, grid.columns)
        rects.append(
            (block, (x + column * grid.side, y + row * grid.side, grid.side - gap, grid.side - gap))
        )
    draw_blocks(axes, facts, rects, numbers=grid.side >= 20)
    for src, dst in copies:
        _arrow(axes, rects[src][1], rects[dst][1])


def draw_blocks(
    axes: Axes, facts: BlockFacts, rects: Sequence[tuple[int, Rect]], numbers: bool = True
) -> None:
    """Draw blocks at the given positions, with the colour and shape of their standing."""
    by_standing: dict[Standing, list[tuple[int, Rect]]] = defaultdict(list)
    for block, rect in rects:
        by_standing[facts.of(block)].append((block, rect))
    for standing, items in by_standing.items():
        _fill(axes, standing, [rect for _, rect in items])
        for block, (x, y, w, h) in items:
            if numbers:
                faint = TEXT if standing in ON_PAGE else INK
                write(axes, x + w / 2, y + h / 2, str(block), 6.5, faint, ha="center", family=MONO)
            if standing is Standing.SHARED and h >= 12:
                _badge(axes, x + w, y, str(facts.readers[block]))
            if standing is Standing.COPYING and h >= 12:
                _badge(axes, x + w, y, "→")


def draw_sequence(
    axes: Axes,
    state: State,
    facts: BlockFacts,
    s: SequenceState,
    decode: Decode | None,
    box: Rect,
    forked_from: int | None = None,
) -> float:
    """Draw a sequence block by block: its tokens, shaded where they were cached, over its table.

    `box` is the area; its height is ignored. Returns the height that was used.
    """
    x, y, width, _ = box
    write(axes, x, y + 8, f"sequence {s.id}", 9, weight="bold")
    found = f"{s.hit_tokens} of {len(s.tokens)} found"
    origin = found if forked_from is None else f"forked from sequence {forked_from}"
    write(axes, x, y + 24, origin, 7.5, TEXT)
    left, per_row = x + _SEQ_HEAD, int((width - _SEQ_HEAD) // _CHIP_W)
    shown = s.block_table[:_MOST_CHIPS]
    places = [(left + k % per_row * _CHIP_W, y + k // per_row * _CHIP_H) for k in range(len(shown))]
    num_cached = -(-s.hit_tokens // state.block_size)
    shaded = [(cx, cy, _CHIP_W - 4, 16) for cx, cy in places[:num_cached]]
    _rectangles(axes, shaded, facecolor="#cfe8f8", edgecolor="none", zorder=0)
    for k, (cx, cy) in enumerate(places):
        tokens = s.tokens[k * state.block_size : (k + 1) * state.block_size]
        color = INK if k < num_cached else TEXT
        _chip_text(axes, drawable(tokens_text(tokens, decode)), cx, cy, color)
    cells = [(cx, cy + 18, _CHIP_W - 4, 16) for cx, cy in places]
    draw_blocks(axes, facts, list(zip(shown, cells, strict=True)))
    height = max(1, -(-len(shown) // per_row)) * _CHIP_H
    if more := len(s.block_table) - len(shown):
        write(axes, left, y + height + 4, f"… and {count(more, 'more block')}", 7.5, TEXT)
        height += 14
    return height


def draw_legend(axes: Axes, x: float, y: float, width: float, with_host: bool = False) -> float:
    """Draw a legend with one entry per standing; return its height."""
    ex, ey = x, y
    for standing in Standing if with_host else list(Standing)[: Standing.ON_HOST]:
        entry = 40 + _LEGEND_CHAR * len(LEGEND[standing])
        if ex > x and ex + entry > x + width:
            ex, ey = x, ey + 22
        facts = BlockFacts([standing], {}, _TWO_READERS, [])
        draw_blocks(axes, facts, [(0, (ex, ey, 15, 15))], numbers=False)
        write(axes, ex + 22, ey + 7.5, LEGEND[standing], 8)
        ex += entry
    return ey + 22 - y


def _chip_text(axes: Axes, text: str, x: float, y: float, color: str) -> None:
    most = 6
    shown = text if len(text) <= most else text[: most - 1] + "…"
    write(axes, x + (_CHIP_W - 4) / 2, y + 8, shown, 7, color, ha="center", family=MONO)


def _fill(axes: Axes, standing: Standing, rects: list[Rect]) -> None:
    if standing is Standing.PRIVATE:
        inner = [(x + 1, y + 1, w - 2, h - 2) for x, y, w, h in rects]
        _rectangles(axes, inner, facecolor="none", edgecolor=GREEN, linewidth=1.6)
        return
    if standing is Standing.ON_HOST:
        inner = [(x + 1, y + 1, w - 2, h - 2) for x, y, w, h in rects]
        dots = {"edgecolor": BLUE, "linewidth": 1.2, "linestyle": ":"}
        _rectangles(axes, inner, facecolor=FILL[standing], **dots)
        return
    edge = {"edgecolor": TEXT, "linewidth": 0.5} if standing is Standing.FREE else {}
    _rectangles(axes, rects, **{"facecolor": FILL[standing], "edgecolor": "none"} | edge)
    if standing is Standing.USED:
        leg = min(6.0, rects[0][2] / 3)
        corners = [[(x + w - leg, y), (x + w, y), (x + w, y + leg)] for x, y, w, _ in rects]
        axes.add_collection(PolyCollection(corners, facecolor=INK, edgecolor="none"))


def _rectangles(axes: Axes, rects: Sequence[Rect], **style: object) -> None:
    shapes = [[(x, y), (x + w, y), (x + w, y + h), (x, y + h)] for x, y, w, h in rects]
    axes.add_collection(PolyCollection(shapes, **style))  # type: ignore[arg-type]


def _arrow(axes: Axes, src: Rect, dst: Rect) -> None:
    """Return the path of an arrow from below `src`, through the gaps, to the left of `dst`.

    Neighbours are joined by a straight line.
    """
    start, below = src[0] + src[2] / 2, src[1] + src[3] + 1.5
    gap, into = dst[0] - 1.5, dst[1] + dst[3] / 2
    corners = [start, start, gap, gap], [below - 2, below, below, into]
    if src[1] == dst[1] and 0 < dst[0] - src[0] < 2 * src[2]:
        corners = [gap - 7, gap], [into, into]
    for color, width in ((PAPER, 3.5), (INK, 1.5)):
        axes.plot(*corners, color=color, linewidth=width, zorder=4, solid_capstyle="butt")
    tip = [(gap - 1, into - 4.5), (gap + 6, into), (gap - 1, into + 4.5)]
    axes.add_collection(
        PolyCollection([tip], facecolor=INK, edgecolor=PAPER, linewidth=0.5, zorder=5)
    )


def _badge(axes: Axes, right: float, top: float, text: str) -> None:
    width = 5 + 4.5 * len(text)
    _rectangles(axes, [(right - width, top, width, 8)], facecolor=INK, edgecolor="none", zorder=3)
    write(axes, right - width / 2, top + 4.2, text, 5, PAPER, ha="center", weight="bold", zorder=4)


def _draw_shares(axes: Axes, facts: BlockFacts, grid: Grid, x: float, y: float) -> None:
    """Draw each cell as a stack of the standings of its blocks."""
    parts: dict[Standing, list[Rect]] = defaultdict(list)
    for cell in range(grid.cells):
        row, column = divmod(cell, grid.columns)
        group = facts.standing[cell * grid.per_cell : (cell + 1) * grid.per_cell]
        top = y + row * grid.side
        for standing in reversed(Standing):
            height = (grid.side - 1) * group.count(standing) / len(group)
            if height:
                parts[standing].append((x + column * grid.side, top, grid.side - 1, height))
            top += height
    for standing, rects in parts.items():
        _rectangles(axes, rects, facecolor=FILL[standing], edgecolor="none")
