"""What a cache tells its views: one log, sent once, however many views show it.

While a cell runs, the kernel can only send: events leave as custom messages, at most one per
`SEND_EVERY_S`. The synced traits hold the whole log, for a view that opens late and for a page that
is reloaded. All are JSON texts that are built once: ipywidgets would walk through every list.

A watched engine also sends events between the cells. Then the kernel's own loop sends what is left,
because no cell comes to an end.
"""

import asyncio
import contextlib
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import ipywidgets
import traitlets

from radixlab import observe
from radixlab.cache import KVCacheManager, RadixTree
from radixlab.events import Event
from radixlab.home import is_static
from radixlab.viz.event_log import EventLog
from radixlab.viz.lifetime import Page, hold_weakly, weakly
from radixlab.viz.sources import event_sources
from radixlab.viz.text import Decode

SEND_EVERY_S = 0.025
# A view that opens while a cell runs has missed messages, and the kernel cannot answer it before
# the cell ends. So the whole log is sent from time to time too.
SYNC_EVERY_S = 0.5
MOST_TIME = 0.05
"""The share of the time of a cell that messages may take, and the synced log as much again."""

_FEEDS: "weakref.WeakSet[Feed]" = weakref.WeakSet()


class Feed(ipywidgets.Widget):  # type: ignore[misc]  # ipywidgets has no types
    """The log of one cache in the browser, shared by the cache's views; it lives with them."""

    keyframe = traitlets.Unicode("").tag(sync=True)
    """The state that the log starts from, as JSON."""
    recording = traitlets.Unicode("").tag(sync=True)
    """The log since then, as JSON."""

    def __init__(self, cache: Any, decode: Decode | None, page: Page | None) -> None:
        self.cache, self.decode, self.page = cache, decode, page
        self.event_log = EventLog(observe.snapshot(cache), decode)
        self.views: weakref.WeakSet[ipywidgets.Widget] = weakref.WeakSet()
        self.is_closed = False
        self._frame = _frame_of(cache)
        self._sent = 0
        self._send_at = self._sync_at = 0.0
        self._synced = 0
        self._requests: deque[int] = deque()
        self._detach: Callable[[], None] = lambda: None
        self._later: asyncio.TimerHandle | None = None
        super().__init__(keyframe=self.event_log.keyframe_text(), recording=self._recording())
        self.on_msg(weakly(self._on_request))
        self._detach = observe.attach(cache, weakly(self._on_event))
        if page is not None:
            page.follow(self)

    def whole_recording(self) -> dict[str, Any]:
        """Return the log and its keyframe, for a file of its own."""
        return self._frame | self.event_log.to_json()

    def open(self) -> None:
        """Connect to the browser, unless only still pictures are wanted."""
        if not is_static():
            super().open()
            hold_weakly(self)

    def close(self) -> None:
        """Disconnect; the cache is no longer watched."""
        self.is_closed = True
        getattr(self, "_detach", lambda: None)()
        super().close()

    def leave(self, view: ipywidgets.Widget) -> None:
        """Close with the last view."""
        self.views.discard(view)
        if not self.views:
            self.close()

    def after_cell(self) -> None:
        """Send what has not been sent, and answer what the browser asked during the cell."""
        if self.comm is None:
            return
        if self._sent < self.event_log.end:
            self._send_new()
        if self._synced < self.event_log.end:
            self._sync()
        self._answer()

    def _on_event(self, event: Event) -> None:
        if self.page is not None and self.page.in_cell:
            self.event_log.begin_cell(self.page.cell)
        self.event_log.events.append(event)
        if self.page is not None and time.monotonic() >= self._send_at:
            self._send_new()
        if self.page is not None and not self.page.in_cell:
            self._catch_up_later(SEND_EVERY_S)

    def _catch_up_later(self, seconds: float) -> None:
        """Let the running loop send what is left; without a loop, the next cell does."""
        with contextlib.suppress(RuntimeError):
            loop = asyncio.get_running_loop()
            self._later = self._later or loop.call_later(seconds, weakly(self._catch_up))

    def _catch_up(self) -> None:
        self._later = None
        if self.is_closed or self.comm is None or self.page is None or self.page.in_cell:
            return
        if self._sent < self.event_log.end:
            self._send_new()
        if self._synced < self.event_log.end:
            if (left := self._sync_at - time.monotonic()) > 0:
                return self._catch_up_later(left)
            self._sync()

    def _send_new(self) -> None:
        began, first = time.monotonic(), self._sent
        self._sent = self.event_log.end
        if text := self.event_log.message(first, self._cell()):
            self.send(text)
        if began >= self._sync_at:
            self._sync()
        now = time.monotonic()
        self._send_at = max(now + SEND_EVERY_S, began + (now - began) / MOST_TIME)

    def _cell(self) -> int:
        return self.page.cell if self.page else 0

    def _recording(self) -> str:
        return self.event_log.recording_text(self._frame | {"cell": self._cell()})

    def _sync(self) -> None:
        began = time.monotonic()
        with self.hold_sync():
            self.recording = self._recording()  # may move the keyframe
            self.keyframe = self.event_log.keyframe_text()
        self._synced = self.event_log.end
        now = time.monotonic()
        self._sync_at = max(now + SYNC_EVERY_S, began + (now - began) / MOST_TIME)

    def _on_request(self, _: object, content: Any, __: object) -> None:
        """Store a view's request; a running cell is not disturbed."""
        if (
            isinstance(content, dict)
            and content.get("type") == "need"
            and isinstance(content.get("from"), int)
        ):
            self._requests.append(content["from"])
        if self.page is None or not self.page.in_cell:
            self._answer()

    def _answer(self) -> None:
        while self._requests:
            first = max(self._requests.popleft(), self.event_log.start)
            if text := self.event_log.message(first):
                self.send(text)


def feed_of(cache: Any, decode: Decode | None, page: Page | None) -> Feed:
    """Return the feed of a cache and a decoder; make it if no living view has it."""
    for feed in [feed for feed in tuple(_FEEDS) if not feed.is_closed]:
        if feed.cache is cache and feed.decode == decode and feed.page is page:
            return feed
    _FEEDS.add(feed := Feed(cache, decode, page))
    return feed


def _frame_of(cache: Any) -> dict[str, Any]:
    """Return what a picture of the cache needs beside its log."""
    is_tree = not isinstance(cache, KVCacheManager)
    is_foreign = is_tree and not isinstance(getattr(cache, "tree", None), RadixTree)
    return {
        "sources": {} if is_foreign else event_sources(),
        "requests": not is_tree,
        "lamp": not is_tree or isinstance(cache, observe.WatchedTree),
    }
