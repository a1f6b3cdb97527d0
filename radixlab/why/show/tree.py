"""The tree of prompts as SVG, left to right, with the breaks marked where prefixes part.

It is a picture in the view's style: a card for each stretch that prompts share. A mark with the
name of the cause stands at each branch that a break created. This file knows branches; it does
not know logs.
"""

import html
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from radixlab.escape import plain
from radixlab.why.report import Branch
from radixlab.why.show.paint import FILL, GREEN, GREY, INK
from radixlab.why.show.words import NAMES, number_of, shown

CARD_W, CARD_H = 190, 36
GAP_X, GAP_Y = 128, 8
MARGIN = 10
MOST_CHILDREN = 4
"""Branches of one card that are drawn; the others are counted."""
MOST_CARDS = 40
MOST_DEPTH = 10
_ALL = -1
"""The id of the card above several roots."""
_LABEL_CELLS = 24
"""Widths of a letter that fit into a card."""


@dataclass(slots=True)
class Card:
    """A branch, or a line that counts those that are left out, and where it is drawn."""

    branch: Branch | None
    children: list["Card"]
    left_out: int = 0
    depth: int = 0
    y: float = 0.0

    @property
    def x(self) -> float:
        """The left edge."""
        return MARGIN + self.depth * (CARD_W + GAP_X)


def tree_svg(branches: Sequence[Branch], ink: str = "currentColor") -> str:
    """Draw the tree; `ink` is the colour of what lies on the page itself."""
    edges = 0.55 if ink == "currentColor" else 1  # the grey for all pages is pale enough
    roots = cards(branches)
    height = _lay_out(roots)
    drawn = [card for root in roots for card in walk(root)]
    width = max((card.x for card in drawn), default=0) + CARD_W + MARGIN
    inner = "".join([*_edges(drawn), *(_card(card) for card in drawn)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="rw-tree" width="{width:g}"'
        f' height="{height:g}" viewBox="0 0 {width:g} {height:g}" role="img" color="{ink}"'
        f' stroke-opacity="{edges}"'
        f' font-family="system-ui, sans-serif" font-size="12">'
        f"<title>{html.escape(summary(branches))}</title>{inner}</svg>"
    )


def summary(branches: Sequence[Branch]) -> str:
    """Say what the picture shows."""
    broken = sum(1 for each in branches if is_break(each))
    return (
        f"A tree of prompts: {number_of(len(branches), 'branch', 'branches')}, "
        f"{broken:,} of them because of a break"
    )


def tree_text(branches: Sequence[Branch]) -> list[str]:
    """Return the same as indented lines, for screen readers and terminals."""
    return [line for root in cards(branches) for card in walk(root) for line in _lines(card)]


def is_break(branch: Branch) -> bool:
    """Whether a branch exists because something changed that need not have."""
    return branch.cause not in (None, "never_seen")


def cards(branches: Sequence[Branch]) -> list[Card]:
    """Choose what is drawn: the branches of most tokens first, not too many, not too deep."""
    known = {each.id for each in branches}
    children: dict[int | None, list[Branch]] = {}
    for each in branches:
        parent = each.parent_id if each.parent_id in known else None
        children.setdefault(parent, []).append(each)
    tops = children.get(None, [])
    if len(tops) > 1:  # prompts that have nothing in common, or that never share a cache
        children[_ALL] = tops
        tops = [Branch(_ALL, None, "all prompts", 0, sum(each.requests for each in tops), None)]
    roots = [Card(each, []) for each in tops]
    queue, left = list(roots), MOST_CARDS
    for card in queue:  # the queue grows as it is read: one level after the other
        below = children.get(card.branch.id, []) if card.branch else []
        most = min(MOST_CHILDREN, max(left, 0)) if card.depth < MOST_DEPTH else 0
        ordered = sorted(below, key=lambda each: (-each.requests * each.tokens, each.id))
        kept = below if len(below) <= most else sorted(ordered[:most], key=lambda each: each.id)
        card.children = [Card(each, [], depth=card.depth + 1) for each in kept]
        queue += card.children
        left -= len(kept)
        if more := len(below) - len(kept):
            card.children.append(Card(None, [], more, card.depth + 1))
    return roots


def walk(card: Card) -> Iterator[Card]:
    """Yield a card and all below it, parents first."""
    stack = [card]
    while stack:
        card = stack.pop()
        yield card
        stack += reversed(card.children)


def _lay_out(roots: list[Card]) -> float:
    """Give each leaf a row of its own, and each parent the middle of its children."""
    y = float(MARGIN)
    ordered = [card for root in roots for card in walk(root)]
    for card in ordered:
        if not card.children:
            card.y = y
            y += CARD_H + GAP_Y
    for card in reversed(ordered):
        if card.children:
            card.y = (card.children[0].y + card.children[-1].y) / 2
    return max(y - GAP_Y + MARGIN, CARD_H + 2 * MARGIN)


def _edges(drawn: Sequence[Card]) -> Iterator[str]:
    for card in drawn:
        x, y = card.x + CARD_W, card.y + CARD_H / 2
        for child in card.children:
            end = child.y + CARD_H / 2
            bend = x + 22
            yield (
                f'<path d="M{x:g} {y:g}C{bend:g} {y:g} {x + 4:g} {end:g} {x + 30:g} {end:g}'
                f'H{child.x:g}" fill="none" stroke="currentColor"/>'
            )
            if child.branch and is_break(child.branch):
                yield _mark(child.branch.cause or "", x + 36, end)


def _mark(cause: str, x: float, y: float) -> str:
    """Draw a disc with a cross on the edge, and the cause's name behind it."""
    name = html.escape(NAMES.get(cause, plain(cause)))
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="7" fill="{FILL.get(cause, GREY)}" stroke="{INK}"'
        ' stroke-opacity="1"/>'
        f'<path d="M{x - 3:g} {y - 3:g}l6 6m0 -6l-6 6" stroke="{INK}" stroke-width="1.8"'
        ' stroke-opacity="1"/>'
        f'<text x="{x + 11:g}" y="{y - 5:g}" font-size="11" fill="currentColor">{name}</text>'
    )


def _card(card: Card) -> str:
    x, y = card.x, card.y
    if card.branch is None:
        return (
            f'<text x="{x + 6:g}" y="{y + CARD_H / 2 + 4:g}" fill="currentColor">'
            f"{_left_out(card)}</text>"
        )
    shared = card.branch.requests > 1
    label = html.escape(fitted(shown(card.branch.label or "(root)"), _LABEL_CELLS))
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{CARD_W}" height="{CARD_H}" rx="5" fill="none"'
        f' stroke="currentColor"/>'
        f'<rect x="{x + 3:g}" y="{y + 3:g}" width="4" height="{CARD_H - 6}" rx="2"'
        f' fill="{GREEN if shared else GREY}"/>'
        f'<svg x="{x + 13:g}" y="{y:g}" width="{CARD_W - 18}" height="{CARD_H}">'
        f'<text y="15" font-family="ui-monospace, monospace" fill="currentColor"'
        f' direction="ltr" unicode-bidi="isolate">{label}</text>'
        f'<text y="30" font-size="11" fill="currentColor">'
        f"{_numbers(card.branch)}</text></svg>"
    )


def _numbers(branch: Branch) -> str:
    tokens = f"{number_of(branch.tokens, 'token')} · " if branch.tokens else ""
    return f"{tokens}{number_of(branch.requests, 'request')}"


def _left_out(card: Card) -> str:
    return f"… and {number_of(card.left_out, 'more branch', 'more branches')}"


def _lines(card: Card) -> Iterator[str]:
    indent = "  " * card.depth
    if card.branch is None:
        yield f"{indent}{_left_out(card)}"
        return
    branch = card.branch
    why = f", {NAMES.get(branch.cause or '', '')}" if is_break(branch) else ""
    yield f"{indent}{shown(branch.label or '(root)', 40)}: {_numbers(branch)}{why}"


def fitted(text: str, cells: int) -> str:
    """Cut a text to a number of letter widths; wide characters, such as Chinese ones, count twice.

    >>> fitted("a long label", 7), fitted("你好世界", 8)
    ('a long…', '你好世界')
    """
    widths = [2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text]
    if sum(widths) <= cells:
        return text
    used, kept = 1, []
    for character, width in zip(text, widths, strict=True):
        used += width
        if used > cells:
            break
        kept.append(character)
    return f"{''.join(kept)}…"
