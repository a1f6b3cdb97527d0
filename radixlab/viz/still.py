"""One still picture of a state, on a page as wide as a notebook's column.

This file knows the page. `tree_dot` and `block_map` draw the tree and the blocks. pyplot is not
used, because its state is global.
"""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from radixlab.observe.state import State
from radixlab.viz.block_map import draw_legend, draw_map, draw_sequence, grid_of, write
from radixlab.viz.facts import BlockFacts, block_facts, counts, host_facts
from radixlab.viz.ghost import Ghost
from radixlab.viz.ghost_map import draw_ghost
from radixlab.viz.glyphs import drawable
from radixlab.viz.palette import TEXT
from radixlab.viz.text import Decode, count, headline
from radixlab.viz.tree_dot import render_dot, tree_dot

WIDTH = 864
"""Width of the page in displayed pixels; the picture has twice as many, for sharp text."""

_SCALE = 2
_DPI = 96
_MARGIN = 16
_INNER = WIDTH - 2 * _MARGIN
_MOST_NODES = 40
_MOST_SEQUENCES = 8
_MOST_TREE_HEIGHT = 1400


def still(
    state: State,
    decode: Decode | None = None,
    forks: Mapping[int, int] | None = None,
    ghost: Ghost | None = None,
) -> bytes:
    """Draw the state as one PNG: numbers, tree, block map, running sequences.

    `forks` maps sequences to the sequences that they were forked from, which a state does not know.
    `ghost` is the other of two runs: the map shows what it has where this run has something else.
    """
    facts = block_facts(state)
    figure = Figure(dpi=_DPI * _SCALE, facecolor="none")
    axes = figure.add_axes(
        (0, 0, 1, 1)
    )  # one unit becomes one displayed pixel, y down, once the height is known
    axes.axis("off")
    y = _draw_numbers(axes, state, facts, f"{ghost.name}: " if ghost else "")
    y = _draw_tree(axes, state, decode, y + 14)
    y = _draw_blocks(axes, state, facts, y + 14, ghost)
    if state.sequences:
        y = _draw_sequences(axes, state, facts, decode, y + 12, forks or {})
    _draw_page(axes, y + 8)
    return _png(figure, axes, y + 8)


def tree_still(state: State) -> tuple[bytes, int]:
    """Draw the tree alone; return the PNG, and its width in displayed pixels."""
    png = render_dot(tree_dot(state, max_nodes=_MOST_NODES, dpi=_DPI * _SCALE))
    return png, Image.open(io.BytesIO(png)).width // _SCALE


def save_png(state: State, path: str | Path, decode: Decode | None = None) -> None:
    """Write `still(state)` to a file."""
    Path(path).write_bytes(still(state, decode))


def save_dot(state: State, path: str | Path, decode: Decode | None = None) -> None:
    """Write the tree as DOT, for Graphviz and other tools."""
    Path(path).write_text(tree_dot(state, decode).source, encoding="utf-8")


def _draw_numbers(axes: Axes, state: State, facts: BlockFacts, name: str) -> float:
    c = counts(state, facts)
    title = drawable(name) + headline(state, c).removeprefix("CacheView: ")
    shares = f"{c.num_free} free + {c.num_evictable} evictable + {c.num_in_use} in use"
    pool = f"{shares} = {count(state.num_blocks, 'block')}"
    private = f"; {c.num_private} of those in use are private" if c.num_in_use else ""
    write(axes, _MARGIN, 20, title, 10.5, weight="bold")
    write(axes, _MARGIN, 39, pool + private, 8.5, TEXT)
    return 52


def _draw_tree(axes: Axes, state: State, decode: Decode | None, y: float) -> float:
    y = _heading(axes, y, "Radix tree")
    graph = tree_dot(state, decode, max_nodes=_MOST_NODES, dpi=_DPI * _SCALE)
    image = Image.open(io.BytesIO(render_dot(graph))).convert("RGBA")
    image.thumbnail((_INNER * _SCALE, _MOST_TREE_HEIGHT * _SCALE))
    width, height = image.width / _SCALE, image.height / _SCALE
    axes.imshow(
        image, extent=(_MARGIN, _MARGIN + width, y + height, y), aspect="auto", interpolation="none"
    )
    return y + height


def _draw_blocks(
    axes: Axes, state: State, facts: BlockFacts, y: float, ghost: Ghost | None
) -> float:
    y = _heading(axes, y, "Block map", _ghost_hint(ghost))
    grid = grid_of(state.num_blocks, _INNER)
    copies = [(src, dst) for src, dst, kind in state.transfers if kind == "copy"]
    draw_map(axes, facts, grid, _MARGIN, y, copies)
    if ghost:
        draw_ghost(axes, ghost, grid, _MARGIN, y)
    y += grid.rows * grid.side + 8
    if facts.host:
        y = _heading(axes, y, "Host", "what was evicted and can be loaded back")
        grid = grid_of(len(facts.host), _INNER)
        draw_map(axes, host_facts(facts), grid, _MARGIN, y)
        y += grid.rows * grid.side + 8
    return y + draw_legend(axes, _MARGIN, y, _INNER, with_host=bool(facts.host))


def _ghost_hint(ghost: Ghost | None) -> str:
    if ghost is None:
        return ""
    return (
        f"dashed corners: {ghost.line}" if any(k is not None for k in ghost.kinds) else ghost.line
    )


def _draw_sequences(
    axes: Axes,
    state: State,
    facts: BlockFacts,
    decode: Decode | None,
    y: float,
    forks: Mapping[int, int],
) -> float:
    y = _heading(axes, y, "Sequences", "shaded: found in the cache, not computed again")
    ordered = sorted(state.sequences.values(), key=lambda s: s.id)
    for sequence in ordered[:_MOST_SEQUENCES]:
        box = (_MARGIN, y, _INNER, 0)
        parent = forks.get(sequence.id)
        y += draw_sequence(axes, state, facts, sequence, decode, box, parent) + 4
    if (left := len(ordered) - _MOST_SEQUENCES) > 0:
        write(axes, _MARGIN, y + 6, f"… and {left} more", 8, TEXT)
        y += 16
    return y


def _draw_page(axes: Axes, height: float) -> None:
    """Draw a border with round corners; the notebook's own page shows through, light or dark."""
    inset = 0.5
    page = FancyBboxPatch(
        (inset, inset),
        WIDTH - 2 * inset,
        height - 2 * inset,
        boxstyle="round,pad=0,rounding_size=8",
        facecolor="none",
        edgecolor=TEXT,
        linewidth=0.75,
        zorder=-1,
    )
    axes.add_patch(page)


def _heading(axes: Axes, y: float, name: str, hint: str = "") -> float:
    write(axes, _MARGIN, y + 8, name, 9.5, weight="bold")
    write(axes, _MARGIN + 84, y + 8, hint, 8, TEXT)
    return y + 24


def _png(figure: Figure, axes: Axes, height: float) -> bytes:
    figure.set_size_inches(WIDTH / _DPI, height / _DPI)
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    canvas, raw = FigureCanvasAgg(figure), io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # tokens in any script
        figure.savefig(raw, format="raw")
    image = Image.frombytes("RGBA", canvas.get_width_height(), raw.getvalue())
    out = io.BytesIO()
    _few_colors(image).save(out, "PNG")
    return out.getvalue()


def _few_colors(image: Image.Image) -> Image.Image:
    """Convert a picture to a palette, a third of the bytes, since notebooks are committed."""
    return image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
