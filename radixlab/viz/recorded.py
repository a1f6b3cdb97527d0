"""The logs of a static notebook's views, for a site that plays them without a kernel.

In a static notebook a view is a still picture. If `RADIXLAB_RECORDINGS` names a folder as well, the
picture names a file in it. When its cell ends, that file gets the view's log up to there, as the
live view would show it "as of this cell".
"""

import json
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython

from radixlab.files import replace_text
from radixlab.home import is_static, recordings_folder
from radixlab.viz.lifetime import Page, page_of

MIME = "application/vnd.radixlab.player+json"
"""The type of an output that names a recording: `{"file": "003.json", "kind": "view"}`."""

_OF_PAGES: "weakref.WeakKeyDictionary[Page, Recordings]" = weakref.WeakKeyDictionary()


class Recordings:
    """The recordings of one notebook, numbered in the order in which its views were displayed."""

    def __init__(self, folder: Path, page: Page) -> None:
        self.folder = folder
        self.num = 0
        self._due: list[tuple[str, Callable[[], Any]]] = []
        page.follow(self)

    def promise(self, recording: Callable[[], Any]) -> str:
        """Return the name of the file that `recording()` is written to at the end of the cell."""
        self.num += 1
        name = f"{self.num:03}.json"
        self._due.append((name, recording))
        return name

    def after_cell(self) -> None:
        """Write what the cell displayed."""
        for name, recording in self._due:
            replace_text(self.folder / name, json.dumps(recording(), separators=(",", ":")))
        self._due.clear()


def shell_of_views() -> Any:
    """Return the shell whose cells a view follows; None if only still pictures are wanted."""
    return None if is_static() and recordings_folder() is None else get_ipython()


def player(recording: Callable[[], Any], kind: str = "view") -> dict[str, Any]:
    """Return the output that names a view's recording; empty unless recordings are kept."""
    folder, shell = recordings_folder(), get_ipython()
    if folder is None or shell is None:
        return {}
    page = page_of(shell)
    if page not in _OF_PAGES:
        _OF_PAGES[page] = Recordings(folder, page)
    return {MIME: {"file": _OF_PAGES[page].promise(recording), "kind": kind}}
