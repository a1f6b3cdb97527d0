"""The radix tree as a Graphviz drawing, left to right.

This file knows DOT and how to render it: by `dot` if it is on PATH, else in this process by
pygraphviz, whose wheel contains Graphviz. Token text is untrusted, so every label is escaped.
"""

import hashlib
import html
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from textwrap import TextWrapper
from typing import Any

import graphviz
import matplotlib

from radixlab.observe.state import NodeState, State
from radixlab.viz.facts import BlockFacts, Standing, block_facts
from radixlab.viz.glyphs import drawable
from radixlab.viz.palette import BLUE, FILL, GREEN, INK, ON_PAGE, TEXT
from radixlab.viz.text import Decode, clip, count, tokens_text, walk_tree

_CELLS_PER_ROW = 10
_MOST_CELLS = 20
_LINE_CHARS = 36
_LEAST_CELLS = 6  # aligns the cards of a column
_CELL_W = 22
_CELL_SIZE = f'WIDTH="{_CELL_W}" HEIGHT="13" FIXEDSIZE="TRUE"'
_TIGHT = 'CELLBORDER="0" CELLSPACING="0"'


def tree_dot(
    state: State, decode: Decode | None = None, max_nodes: int = 120, dpi: int = 96
) -> graphviz.Digraph:
    """Draw the tree, a card per node with its tokens and blocks; count nodes past `max_nodes`."""
    graph = graphviz.Digraph("radix_tree")
    graph.attr(
        rankdir="LR", dpi=str(dpi), nodesep="0.14", ranksep="0.4", pad="0.05", bgcolor="transparent"
    )
    graph.attr("node", shape="plain", fontname="DejaVu Sans", fontsize="9", fontcolor=TEXT)
    graph.attr("edge", arrowhead="none", tailport="e", headport="w", color=TEXT, penwidth="0.9")
    facts = block_facts(state)
    drawn = set()
    for _, node in islice(walk_tree(state), max_nodes):
        drawn.add(node.id)
        graph.node(f"n{node.id}", label=_card(node, facts, decode))
        graph.edge(_parent_name(graph, node, drawn), f"n{node.id}")
    if not drawn:
        _draw_root(graph, None)
    if left := len(state.nodes) - len(drawn):
        graph.node(
            "left_out", label=f"… and {count(left, 'more node')}", shape="plaintext", fontcolor=TEXT
        )
    return graph


def render_dot(graph: graphviz.Digraph) -> bytes:
    """Render to PNG, with or without a system Graphviz."""
    with _fonts():
        if shutil.which("dot"):
            return bytes(graph.pipe(format="png"))
        import pygraphviz  # imported late: it loads Graphviz into this process

        with _quiet():
            png: Any = pygraphviz.AGraph(string=graph.source).draw(format="png", prog="dot")
        return bytes(png)


@contextmanager
def _fonts() -> Iterator[None]:
    """Let Graphviz use matplotlib's fonts, so that the picture is the same on every system."""
    before = os.environ.get("FONTCONFIG_FILE")
    os.environ["FONTCONFIG_FILE"] = str(Path(_font_folder().name) / "fonts.conf")
    try:
        yield
    finally:
        del os.environ["FONTCONFIG_FILE"]
        if before is not None:
            os.environ["FONTCONFIG_FILE"] = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence C code: a bundled Graphviz warns about font settings, and a kernel would show it."""
    saved = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@cache
def _font_folder() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="radixlab-fonts-")
    fonts = html.escape(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf"))
    lines = f"<dir>{fonts}</dir><cachedir>{html.escape(folder.name)}</cachedir>"
    (Path(folder.name) / "fonts.conf").write_text(f"<fontconfig>{lines}</fontconfig>", "utf-8")
    return folder


def _parent_name(graph: graphviz.Digraph, node: NodeState, drawn: set[int]) -> str:
    return f"n{node.parent_id}" if node.parent_id in drawn else _draw_root(graph, node.namespace)


def _draw_root(graph: graphviz.Digraph, namespace: tuple[str, str] | None) -> str:
    """Draw the root of a namespace; return its DOT-safe name. Repeating this is harmless."""
    text = " ".join(namespace) if namespace else "root"
    name = f"root_{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"
    graph.node(
        name,
        label=f"<{_escape(clip(drawable(text)))}>",
        shape="box",
        style="rounded,filled",
        color="none",
        fillcolor=FILL[Standing.FREE],
        fontcolor=TEXT,
        height="0.25",
        width="0.2",
        margin="0.08,0.02",
    )
    return name


def _card(node: NodeState, facts: BlockFacts, decode: Decode | None) -> str:
    """Build the HTML-like label of a node: its id, its tokens, and a cell per block."""
    locks = f" · {count(node.lock_ref, 'lock')}" if node.lock_ref else ""
    where = "" if node.resident else " · on host"
    head = f"node {node.id} · {count(len(node.block_ids), 'block')}{locks}{where}"
    lines = _lines(clip(drawable(tokens_text(node.tokens, decode)), 48, 18))
    points = max(5 * len(head), *(5.5 * len(line) for line in lines))
    rows = [f'<FONT POINT-SIZE="8" COLOR="{TEXT}">{_escape(head)}</FONT>']
    rows += [f'<FONT FACE="DejaVu Sans Mono">{_escape(line)}</FONT>' for line in lines]
    rows.append(_cells(node, facts, max(_LEAST_CELLS, int(points / _CELL_W))))
    body = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
    evictable = all(facts.of(block) is Standing.CACHED for block in node.block_ids)
    color = FILL[Standing.CACHED] if evictable else GREEN
    border = f'COLOR="{TEXT}"' if node.resident else f'COLOR="{BLUE}" STYLE="DOTTED"'
    color = color if node.resident else FILL[Standing.ON_HOST]
    stripe = f'<TD WIDTH="3" CELLPADDING="0" BGCOLOR="{color}"></TD>'
    inner = f'<TABLE BORDER="0" {_TIGHT} CELLPADDING="1">{body}</TABLE>'
    return (
        f'<<TABLE BORDER="1" {border} {_TIGHT} CELLPADDING="3">'
        f"<TR>{stripe}<TD>{inner}</TD></TR></TABLE>>"
    )


def _lines(text: str) -> list[str]:
    wrap = TextWrapper(_LINE_CHARS, drop_whitespace=False, break_on_hyphens=False)
    return wrap.wrap(text) or [" "]


def _cells(node: NodeState, facts: BlockFacts, least: int) -> str:
    """Lay out cells in rows; pad to `least` cells, so that Graphviz does not spread them."""
    block_ids = node.block_ids
    cells = [_cell(block, facts, node.resident) for block in block_ids[:_MOST_CELLS]]
    columns = min(_CELLS_PER_ROW, max(least, len(cells)))
    cells += [f"<TD {_CELL_SIZE}></TD>"] * (-len(cells) % columns)
    if (left := len(block_ids) - _MOST_CELLS) > 0:
        cells.append(f'<TD COLSPAN="{columns}" ALIGN="LEFT">+{left} more</TD>')
    rows = ["".join(cells[k : k + columns]) for k in range(0, len(cells), columns)]
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0">{body}</TABLE>'


def _cell(block: int, facts: BlockFacts, resident: bool) -> str:
    standing = facts.of(block, resident)
    border = f' BORDER="2" COLOR="{GREEN}"' if standing is Standing.PRIVATE else ""
    if standing is Standing.ON_HOST:
        border = f' BORDER="1" COLOR="{BLUE}" STYLE="DOTTED"'
    readers = facts.readers[block] if standing is Standing.SHARED else 0
    shared = f'<FONT POINT-SIZE="5.5">×{readers}</FONT>' if readers else ""
    color = TEXT if standing in ON_PAGE else INK
    text = f'<FONT POINT-SIZE="7" COLOR="{color}">{block}{shared}</FONT>'
    return f'<TD BGCOLOR="{FILL[standing]}" {_CELL_SIZE}{border}>{text}</TD>'


def _escape(text: str) -> str:
    r"""Escape for an HTML-like label: backslashes too (Graphviz reads `\N`), and every space."""
    return html.escape(text).replace("\\", "&#92;").replace(" ", "&#160;")
