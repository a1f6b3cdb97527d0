"""The live view of a cache in a notebook: this side sends events, and js/ draws them.

While a cell runs, the kernel can only send: events leave as custom messages, at most one per
`_SEND_EVERY_S`. The synced trait `recording` holds the whole log, for a view that opens late and
for a page that is reloaded.
"""

import base64
import os
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar

import anywidget
import traitlets
from IPython.core.getipython import get_ipython

from radixlab import observe
from radixlab.cache import KVCacheManager, RadixTree
from radixlab.events import Event
from radixlab.observe.state import State
from radixlab.viz.bundle import css, esm
from radixlab.viz.event_log import EventLog
from radixlab.viz.sources import event_sources
from radixlab.viz.still import WIDTH, still
from radixlab.viz.text import Decode, summary

_SEND_EVERY_S = 0.025
# A view that opens while a cell runs has missed messages, and the kernel cannot answer it before
# the cell ends. So the whole log is sent from time to time too, less often when it is longer.
_SYNC_EVERY_S = 0.25


def is_static() -> bool:
    """Whether only pictures and text are wanted, as in committed notebooks."""
    return os.environ.get("RADIXLAB_STATIC") == "1"


class Still:
    """A picture of one moment, shown as PNG and text."""

    def __init__(
        self, state: State, decode: Decode | None = None, forks: Mapping[int, int] | None = None
    ) -> None:
        self.text = summary(state, decode)
        self.png = still(state, decode, forks)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        picture = base64.b64encode(self.png).decode()
        return {"text/plain": self.text, "image/png": picture}, {"image/png": {"width": WIDTH}}


class CacheView(anywidget.AnyWidget):
    """Shows a cache live: its sequences, tree and blocks, and why each event happened.

    `cache` is a `KVCacheManager`, a watched tree or a `RemoteTree`; `decode` gives the text of a
    token.
    """

    _esm: ClassVar[str] = esm()
    _css: ClassVar[str] = css()
    recording = traitlets.Dict().tag(sync=True)
    in_sight = traitlets.Bool(False).tag(sync=True)
    """While this is true, the page scrolls to the view, so that the animation is visible."""

    def __init__(self, cache: Any, decode: Decode | None = None, title: str = "") -> None:
        self._cache, self._decode = cache, decode
        self._events = EventLog(observe.snapshot(cache), decode)
        is_tree = not isinstance(cache, KVCacheManager)
        is_foreign = is_tree and not isinstance(getattr(cache, "tree", None), RadixTree)
        sources = {} if is_foreign else event_sources()
        self._frame = {"title": title, "sources": sources, "requests": not is_tree}
        self._cell = 0  # the number in the prompt of the running cell
        self._sent = 0
        self._sent_at = self._synced_at = 0.0
        self._requests: deque[int] = deque()
        self._shell = None if is_static() else get_ipython()
        self._in_cell = self._shell is not None
        if self._shell is not None:
            self._cell = self._shell.execution_count
        self._closed = False
        super().__init__(recording=self._recording())
        self.on_msg(self._on_request)
        if self._shell is not None:
            self._shell.events.register("pre_run_cell", self._before_cell)
            self._shell.events.register("post_run_cell", self._after_cell)
        observe.attach(cache, self._on_event)

    def snapshot(self) -> Still:
        """Take a picture of the current cache, for the end of a cell."""
        return Still(observe.snapshot(self._cache), self._decode, self._events.forks())

    def open(self) -> None:
        """Connect to the browser, unless only still pictures are wanted."""
        if not is_static():
            super().open()

    def close(self) -> None:
        """Disconnect; the cache is no longer watched."""
        if not self._closed and self._shell is not None:
            self._shell.events.unregister("pre_run_cell", self._before_cell)
            self._shell.events.unregister("post_run_cell", self._after_cell)
        self._closed = True
        super().close()

    def _on_event(self, event: Event) -> None:
        if self._closed:
            return
        if self._in_cell:
            self._events.begin_cell(self._cell)
        self._events.events.append(event)
        if self._shell is not None and time.monotonic() - self._sent_at >= _SEND_EVERY_S:
            self._send_new()

    def _send_new(self) -> None:
        first, self._sent = self._sent, self._events.end
        rows, vocab = self._events.rows(first)
        if rows:
            self.send({"from": first, "events": rows, "vocab": vocab, "cell": self._cell})
        now = self._sent_at = time.monotonic()
        if now - self._synced_at >= _SYNC_EVERY_S + self._events.num_bytes / 1e6:
            self._sync()

    def _recording(self) -> dict[str, Any]:
        return self._events.to_json() | self._frame | {"cell": self._cell}

    def _sync(self) -> None:
        self.recording = self._recording()
        self._synced_at = time.monotonic()

    def _before_cell(self, *_: object) -> None:
        self._in_cell = True
        assert self._shell is not None
        self._cell = self._shell.execution_count

    def _after_cell(self, *_: object) -> None:
        self._in_cell = False
        if self._sent < self._events.end:
            self._send_new()
        if self._events.end != self.recording["from"] + len(self.recording["events"]):
            self._sync()
        self._answer()

    def _on_request(self, _: object, content: Any, __: object) -> None:
        """Store a view's request; a running cell is not disturbed."""
        if (
            isinstance(content, dict)
            and content.get("type") == "need"
            and isinstance(content.get("from"), int)
        ):
            self._requests.append(content["from"])
        if not self._in_cell:
            self._answer()

    def _answer(self) -> None:
        while self._requests:
            first = max(self._requests.popleft(), self._events.start)
            rows, _ = self._events.rows(first)
            self.send({"from": first, "events": rows})

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = self.snapshot()._repr_mimebundle_()
        if not is_static():
            live = super()._repr_mimebundle_(**kwargs)
            if live is not None:
                data, metadata = live[0] | data, live[1] | metadata
        return data, metadata
