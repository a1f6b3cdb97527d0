"""A remote tree as lines of text, for a terminal.

Token texts and names come from a stream that is not trusted: whatever is not printable is replaced,
so that no escape sequence reaches the terminal. This file knows nodes, and no sockets.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from radixlab.cache.results import NodeView
from radixlab.events import Namespace
from radixlab.observe.kv.forest import ORPHAN
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

    The trees of ranks and tenants stand one after the other; where not all lines fit, each tree
    gets its share of them.

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
    fits = max_lines is None or len(views) <= max_lines
    most = len(views) if fits or max_lines is None else max(1, max_lines - 1)
    lines = [
        _line(depth, view, decode)
        for roots, share in _shares(views, children, below, most)
        for depth, view in _walk(roots, children, below, share)
    ]
    left = len(views) - len(lines)
    return [*lines, f"… and {left:,} more node{'' if left == 1 else 's'}"] if left else lines


Children = dict[int | None, list[NodeView]]


def _shares(
    views: list[NodeView], children: Children, below: Counter[int], most: int
) -> Iterator[tuple[list[NodeView], int]]:
    """Yield the roots of each namespace, and how many of the lines it gets; orphans come last."""
    trees: dict[Namespace | None, list[NodeView]] = {}
    for root in children.get(None, ()):
        trees.setdefault(root.namespace, []).append(root)
    sizes = Counter(view.namespace for view in views)
    weight = {name: sum(below[root.id] for root in roots) for name, roots in trees.items()}
    in_order = sorted(trees, key=lambda name: (is_orphan(name), -weight[name]))[:most]
    share, left = {}, most
    for num, name in enumerate(sorted(in_order, key=lambda name: sizes[name])):
        share[name] = min(sizes[name], left // (len(in_order) - num))
        left -= share[name]
    yield from ((trees[name], share[name]) for name in in_order)


def is_orphan(namespace: Namespace | None) -> bool:
    """Whether nodes in this namespace have lost what they follow."""
    return namespace is not None and namespace[0].endswith(ORPHAN)


def _walk(
    roots: list[NodeView], children: Children, below: Counter[int], most: int
) -> Iterator[tuple[int, NodeView]]:
    """Yield up to `most` nodes with their depths, parents first, large subtrees first."""
    stack = [(0, view) for view in _smallest_first(roots, below)]
    while stack and most > 0:
        depth, view = stack.pop()
        yield depth, view
        most -= 1
        stack += [(depth + 1, kid) for kid in _smallest_first(children.get(view.id, []), below)]


def _smallest_first(views: list[NodeView], below: Counter[int]) -> list[NodeView]:
    return sorted(views, key=lambda view: below[view.id])


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
