"""The anchors of headings, as GitHub and JupyterLab form them."""

import re
from collections.abc import Callable

Slug = Callable[[str], str]
"""Turns the words of a heading into its anchor."""


def slug_of_document(text: str) -> str:
    """Return a heading's anchor as GitHub gives it in a Markdown file.

    >>> slug_of_document("What it cannot see: a `host` tier")
    'what-it-cannot-see-a-host-tier'
    """
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def slug_of_notebook(text: str) -> str:
    """Return a heading's anchor as JupyterLab gives it in a notebook.

    >>> slug_of_notebook("Step back")
    'Step-back'
    """
    return text.replace(" ", "-")
