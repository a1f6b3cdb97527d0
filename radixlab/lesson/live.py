"""Shows a view while a cell runs; in a committed notebook, the view's last picture.

This file knows displays and notebooks. It does not know caches.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from radixlab.home import is_static
from radixlab.lesson.slowly import pause


@contextmanager
def shown(view: Any) -> Iterator[None]:
    """Show a live view at once, before the block under `with` runs, so that it can be watched.

    The page scrolls to the view and keeps it visible until the block ends. In a committed notebook,
    one picture is shown after the block: the last one.
    """
    from IPython.display import display

    if is_static():
        yield
        display(view)
        return
    view.in_sight = True
    try:
        display(view)
        pause(1.0)  # until the page has drawn the first state
        yield
    finally:
        view.in_sight = False
