"""The live view of a cache in a notebook: `feed` sends the events, and js/ draws them."""

import base64
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets

from radixlab import observe
from radixlab.home import is_static
from radixlab.observe.lamp import Fault
from radixlab.observe.state import State
from radixlab.viz.bundle import css, esm
from radixlab.viz.feed import Feed, feed_of
from radixlab.viz.lifetime import hold_weakly, page_of
from radixlab.viz.page import save_page
from radixlab.viz.recorded import player, shell_of_views
from radixlab.viz.still import WIDTH, still
from radixlab.viz.text import Decode, plain, summary


class Still:
    """A picture of one moment, shown as PNG and text; the PNG is drawn when it is asked for."""

    def __init__(
        self, state: State, decode: Decode | None = None, forks: Mapping[int, int] | None = None
    ) -> None:
        self.text = summary(state, decode)
        self._parts = state, decode, dict(forks or {})

    @cached_property
    def png(self) -> bytes:
        """The picture."""
        return still(*self._parts)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        picture = base64.b64encode(self.png).decode()
        about = {"width": WIDTH, "alt": self.text.splitlines()[0]}
        return {"text/plain": self.text, "image/png": picture}, {"image/png": about}


class CacheView(anywidget.AnyWidget):
    """Shows a cache live: its sequences, tree and blocks, and why each event happened.

    `cache` is a `KVCacheManager`, a watched tree or a `RemoteTree`; `decode` gives the text of a
    token. All views of a cache share one log, which begins with the first of them.
    """

    _esm: ClassVar[str] = esm()
    _css: ClassVar[str] = css()
    feed = traitlets.Instance(Feed, allow_none=True).tag(
        sync=True, **ipywidgets.widget_serialization
    )
    title = traitlets.Unicode("").tag(sync=True)
    in_sight = traitlets.Bool(False).tag(sync=True)
    """While this is true, the page scrolls to the view, so that the animation is visible."""

    def __init__(self, cache: Any, decode: Decode | None = None, title: str = "") -> None:
        shell = shell_of_views()
        self._page = None if shell is None else page_of(shell)
        self._cache, self._decode = cache, decode
        feed = feed_of(cache, decode, self._page)
        self._made_at = feed.event_log.end
        super().__init__(feed=feed, title=plain(title))
        feed.views.add(self)

    def snapshot(self) -> Still:
        """Take a picture of the current cache, for the end of a cell."""
        forks = self.feed.event_log.forks(self._made_at) if self.feed else {}
        return Still(observe.snapshot(self._cache), self._decode, forks)

    def verdict(self) -> Fault | None:
        """Return the first event that breaks a rule of the cache, or None: what the lamp shows."""
        return self._open_feed().event_log.verdict()

    def save(self, path: str | Path) -> None:
        """Write one HTML file with the player and the whole log, and print its size.

        The file needs no network and no kernel.
        """
        feed = self._open_feed()
        print(save_page(path, feed.whole_recording() | {"title": self.title}))

    def _player(self) -> dict[str, Any]:
        """Return the output that names the view's recording, where recordings are kept."""
        feed, title = self.feed, self.title
        return player(lambda: feed.whole_recording() | {"title": title}) if feed else {}

    def _open_feed(self) -> Feed:
        if self.feed is None:
            raise ValueError("this view is closed: it has no log any more")
        return self.feed

    def open(self) -> None:
        """Connect to the browser, unless only still pictures are wanted."""
        if not is_static():
            super().open()
            hold_weakly(self)

    def close(self) -> None:
        """Disconnect; without another view, the cache is no longer watched."""
        feed, page = getattr(self, "feed", None), getattr(self, "_page", None)
        super().close()
        if page is not None:
            page.hide(self)
        if feed is not None:
            self.feed = None
            feed.leave(self)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None, **_: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Show the live view and the text; draw the picture only for who asks for it by name."""
        still = self.snapshot()
        if is_static() or self.comm is None:
            data, about = still._repr_mimebundle_()
            return data | self._player(), about
        if self._page is not None:
            self._page.show(self)
        live = super()._repr_mimebundle_() or ({}, {})
        wants_picture = include is not None and "image/png" in include
        words = still._repr_mimebundle_() if wants_picture else ({"text/plain": still.text}, {})
        return live[0] | words[0], live[1] | words[1]
