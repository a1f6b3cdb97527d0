"""Colours and patterns of the causes: the palette of the view (Okabe and Ito), never colour alone.

The pictures of `radixlab.viz` need packages that this report does without, so the colours are
written here again; tests/why/test_page.py compares them with viz/palette.py.
"""

GREEN = "#009E73"
BLUE = "#0072B2"
SKY = "#56B4E9"
PURPLE = "#CC79A7"
VERMILLION = "#D55E00"
ORANGE = "#E69F00"
YELLOW = "#F0E442"
GREY = "#9aa3ab"
INK = "#111111"
TEXT = "#767676"
"""It can be read on a light page and on a dark one."""

FILL = {
    "found": GREEN,
    "volatile_value": VERMILLION,
    "order_changed": ORANGE,
    "whitespace": YELLOW,
    "history_edited": PURPLE,
    "model_changed": BLUE,
    "expired": SKY,
    "evicted": "#f6d5c2",
    "below_minimum": "#c8d0d8",
    "never_seen": GREY,
}
STROKES = {
    "order_changed": "M0 8L8 0M-1 1L1 -1M7 9L9 7",
    "whitespace": "M2 2h1M6 6h1",
    "history_edited": "M0 4H8",
    "model_changed": "M4 0V8",
    "expired": "M0 0L8 8M-1 7L1 9M7 -1L9 1",
    "evicted": "M0 8L8 0M-1 1L1 -1M7 9L9 7M0 4L4 0M4 8L8 4",
    "below_minimum": "M0 4H8M4 0V8",
}
"""Lines of a pattern of 8 by 8 pixels; causes without an entry are plain."""
STROKE = {"model_changed": "#ffffff", "evicted": VERMILLION}
"""Colours of these lines, where `INK` would not do."""


def patterns() -> str:
    """Return SVG definitions of all fills; `fill_of` refers to them."""
    return f"<defs>{''.join(_pattern(cause) for cause in FILL)}</defs>"


def fill_of(cause: str) -> str:
    """Return the fill of a cause, for pictures on a page that has the patterns."""
    return f"url(#rw-{cause if cause in FILL else 'never_seen'})"


def _pattern(cause: str) -> str:
    path = STROKES.get(cause, "")
    lines = (
        f'<path d="{path}" stroke="{STROKE.get(cause, INK)}" stroke-width="1.2"'
        f' stroke-opacity="0.75" fill="none"/>'
        if path
        else ""
    )
    return (
        f'<pattern id="rw-{cause}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="{FILL[cause]}"/>{lines}</pattern>'
    )
