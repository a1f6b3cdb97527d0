"""How long a widget lives: as long as somebody holds it, or a page shows it.

ipywidgets keeps each widget in a table until the kernel ends, and its comm keeps it too. This file
knows those two, and IPython's history of outputs. It does not know caches.
"""

import re
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from ipywidgets import Widget
from ipywidgets.widgets import widget as registry

_PAGES: "weakref.WeakKeyDictionary[Any, Page]" = weakref.WeakKeyDictionary()
_LATEST = ("_", "__", "___")
_NUMBERED = re.compile(r"_\d+")


def hold_weakly(widget: Widget) -> None:
    """Let ipywidgets and the comm of an open widget reach it without keeping it alive."""
    registry._instances[widget.model_id] = weakref.proxy(widget)
    if widget.comm is not None:
        widget.comm.on_msg(weakly(widget._handle_msg))


def weakly(method: Callable[..., object]) -> Callable[..., None]:
    """Wrap a bound method so that the wrapper does not keep its object alive."""
    reference = weakref.WeakMethod(method)

    def call(*arguments: Any) -> None:
        if (alive := reference()) is not None:
            alive(*arguments)

    return call


class Page:
    """A notebook as its kernel sees it: which cell runs, and which widgets its outputs show.

    A widget that a cell displayed stays alive until that cell runs again, because its output is on
    the page until then. `follow` adds somebody who is told when a cell begins and ends.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = weakref.ref(shell)
        self._shown: dict[str, list[Widget]] = {}
        self._followers: weakref.WeakSet[Any] = weakref.WeakSet()
        self._running = _cell_that_runs(shell)
        self.in_cell = True
        shell.events.register("pre_run_cell", self.before_cell)
        shell.events.register("post_run_cell", self.after_cell)

    @property
    def cell(self) -> int:
        """The number in the prompt of the cell that runs or ran last.

        Its input is stored under that number. `execution_count` is one more in some versions of
        IPython while the cell runs.
        """
        shell = self._shell()
        return len(shell.history_manager.input_hist_parsed) - 1 if shell is not None else 0

    def follow(self, follower: Any) -> None:
        """Call `follower.after_cell()` after each cell, while the follower lives."""
        self._followers.add(follower)

    def show(self, widget: Widget) -> None:
        """Keep a widget that the running cell displays; a front end without cell ids keeps all."""
        shown = self._shown.setdefault(self._running or "", [])
        if not any(widget is other for other in shown):
            shown.append(widget)

    def hide(self, widget: Widget) -> None:
        """Keep a closed widget no longer."""
        for cell, shown in self._shown.items():
            self._shown[cell] = [other for other in shown if other is not widget]

    def before_cell(self, info: Any = None) -> None:
        """Let go of what this cell displayed when it ran before."""
        self.in_cell = True
        self._running = getattr(info, "cell_id", None)
        if (shell := self._shell()) is None:
            return
        if self._running and (gone := self._shown.pop(self._running, None)):
            _drop_from_history(shell, gone)

    def after_cell(self, *_: object) -> None:
        """Tell the followers that the cell has ended."""
        self.in_cell = False
        for follower in tuple(self._followers):
            follower.after_cell()


def page_of(shell: Any) -> Page:
    """Return the page of an IPython shell."""
    page = _PAGES.get(shell)
    if page is None:
        page = _PAGES[shell] = Page(shell)
    return page


def _cell_that_runs(shell: Any) -> str | None:
    """Return the id of the cell in which the first view was made; there was no page yet."""
    request: Any = getattr(shell, "get_parent", dict)() or {}
    cell = request.get("metadata", {}).get("cellId")
    return cell if isinstance(cell, str) else None


def _drop_from_history(shell: Any, widgets: Iterable[Widget]) -> None:
    """Remove widgets from `Out`, `_` and `_12`, where IPython keeps every displayed value."""
    gone = {id(widget) for widget in widgets}
    for names in (getattr(shell, "user_ns", {}), getattr(shell, "user_ns_hidden", {})):
        for name in [name for name, value in names.items() if id(value) in gone]:
            if name in _LATEST:
                names[name] = None
            elif _NUMBERED.fullmatch(name):
                del names[name]
    history = getattr(shell, "user_ns", {}).get("_oh", {})
    for number in [number for number, value in history.items() if id(value) in gone]:
        del history[number]
    for name in _LATEST:
        if id(getattr(shell.displayhook, name, None)) in gone:
            setattr(shell.displayhook, name, None)
