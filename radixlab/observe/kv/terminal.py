"""A remote tree as lines of text, for a terminal.

Token texts and names come from a stream that is not trusted: whatever is not printable is replaced,
so that no escape sequence reaches the terminal. This file knows nodes, and no sockets.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from radixlab.cache.results import NodeView
from radixlab.observe.kv.remote import RemoteTree

Decode = Callable[[list[int]], str]
"""The text of token ids."""

MAX_TEXT = 60
SHOWN_TOKENS = 12
"""Tokens of a node that are looked at for its text."""


def tree_lines(
    tree: RemoteTree, max_lines: int | None = None, decode: Decode | None = None
) -> list[str]:
    """Return a line for each node, indented below its parent, the longest branches first.

    >>> from radixlab.observe.kv.wire import Stored, encode
    >>> tree = RemoteTree()
    >>> _ = tree.feed(encode(0.0, [Stored([7, 8], None, [1, 2, 3, 4], block_size=2)]))
    >>> tree_lines(tree)
    ['2 blocks  1 2 3 4']
    """
    views = list(tree.walk())
    children: dict[int | None, list[NodeView]] = {}
    for view in views:
        children.setdefault(view.parent_id, []).append(view)
    below = Counter({view.id: len(view.block_ids) for view in views})
    for view in reversed(views):  # children before parents
        if view.parent_id is not None:
            below[view.parent_id] += below[view.id]
    most = len(views) if max_lines is None else max(1, max_lines - 1)
    lines = [_line(depth, view, decode) for depth, view in _walk(children, below, most)]
    left = len(views) - len(lines)
    return [*lines, f"… and {left:,} more node{'' if left == 1 else 's'}"] if left else lines


def _walk(
    children: dict[int | None, list[NodeView]], below: Counter[int], most: int
) -> Iterator[tuple[int, NodeView]]:
    """Yield up to `most` nodes with their depths, parents first, large subtrees first."""
    stack: list[tuple[int, NodeView]] = [
        (0, view) for view in _smallest_first(children, None, below)
    ]
    while stack and most > 0:
        depth, view = stack.pop()
        yield depth, view
        most -= 1
        stack += [(depth + 1, child) for child in _smallest_first(children, view.id, below)]


def _smallest_first(
    children: dict[int | None, list[NodeView]], parent_id: int | None, below: Counter[int]
) -> list[NodeView]:
    return sorted(children.get(parent_id, ()), key=lambda view: below[view.id])


def _line(depth: int, view: NodeView, decode: Decode | None) -> str:
    num = len(view.block_ids)
    where = "" if view.resident else ", not on the device"
    tenant = ""
    if view.namespace and view.parent_id is None:
        tenant = f"[{' '.join(filter(None, view.namespace))}] "
    tokens = list(view.tokens[:SHOWN_TOKENS])
    text = decode(tokens) if decode else " ".join(map(str, tokens))
    more = " …" if len(view.tokens) > SHOWN_TOKENS else ""
    said = f"{tenant}{num:,} block{'' if num == 1 else 's'}{where}  {clipped(text)}{more}"
    return "  " * depth + printable(said)


def clipped(text: str) -> str:
    """Shorten a long text."""
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def printable(text: str) -> str:
    """Replace what is not printable, such as escape sequences.

    >>> printable("a" + chr(27) + "[2J")
    'a·[2J'
    """
    return "".join(c if c.isprintable() else "·" for c in text)
