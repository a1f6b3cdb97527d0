"""Shows a view while a cell runs; in a notebook that is committed, the view's last picture.

Knows displays and notebooks; knows nothing of caches.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from radixlab.home import is_static
from radixlab.lesson.slowly import pause


@contextmanager
def shown(view: Any) -> Iterator[None]:
    """Show a live view at once, before the block under `with` runs, so that it can be watched.

    The page scrolls to the view and keeps it in sight until the block ends. Where nobody watches,
    as in a notebook that is committed, the picture is the last one: it is shown after the block.
    """
    from IPython.display import display

    if is_static():
        yield
        display(view)
        return
    view.in_sight = True
    try:
        display(view)
        pause(1.0)  # until the page has drawn the beginning
        yield
    finally:
        view.in_sight = False
