"""The few pieces of HTML that all parts of the report's page are made of.

Every text of a log passes `safe` on its way into the page; nothing else may put one there.
"""

import html

from radixlab.escape import plain
from radixlab.why.show.paint import fill_of


def safe(text: str) -> str:
    r"""Escape a text for HTML, after spelling out what nobody would see.

    >>> safe("<b>\u202e")
    '&lt;b&gt;\\u202e'
    """
    return html.escape(plain(text))


def swatch(cause: str) -> str:
    """Draw the small square that stands for a cause."""
    return (
        '<svg class="rw-swatch" viewBox="0 0 14 14" aria-hidden="true">'
        f'<rect x="0.5" y="0.5" width="13" height="13" rx="2" fill="{fill_of(cause)}"/></svg>'
    )
