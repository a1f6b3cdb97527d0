"""Pictures of a cache: stills for pages and reports, a live view for notebooks.

This package knows the state that events fold to. It does not know the engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from radixlab.viz.still import save_dot, save_png, still
from radixlab.viz.text import summary
from radixlab.viz.tree_dot import render_dot, tree_dot

if TYPE_CHECKING:
    from radixlab.viz.cache_view import CacheView, Still
    from radixlab.viz.pair import PairView, Tape, compare

__all__ = [
    "CacheView",
    "PairView",
    "Still",
    "Tape",
    "compare",
    "render_dot",
    "save_dot",
    "save_png",
    "still",
    "summary",
    "tree_dot",
]


def __getattr__(name: str) -> Any:
    """Import the widget on first use: a replay that writes a PNG does not need Jupyter."""
    if name in ("CacheView", "Still"):
        from radixlab.viz import cache_view

        return getattr(cache_view, name)
    if name in ("PairView", "Tape", "compare"):
        return getattr(import_module("radixlab.viz.pair"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
