"""What `radixlab watch` leaves behind: a recording, and a page that plays what was watched.

A recording has every event and grows with the time. A page holds the newest events only, so that a
watch of days needs bounded memory and still opens in a browser.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radixlab.bench.pictures import require_writable
from radixlab.cli.replay_page import require_page
from radixlab.observe import Recorder, attach, snapshot
from radixlab.observe.kv.subscriber import EventWatch
from radixlab.observe.kv.terminal import printable

if TYPE_CHECKING:
    from radixlab.viz.event_log import EventLog

Piece = Callable[[int], str]
"""The text of one token."""
PAGE_BYTES = 16_000_000
"""Most bytes of the events in a page."""


class Files:
    """Writes what is watched from `begin` on; `close` completes the files."""

    def __init__(self, record: Path | None, html: Path | None, piece: Piece | None) -> None:
        self.record, self.html, self._piece = record, html, piece
        self.has_begun = False
        self._recorder: Recorder | None = None
        self._log: EventLog | None = None
        self._detach: Callable[[], None] = lambda: None
        if record is not None:
            require_writable(record)  # an OSError now, and not after hours
        if html is not None:
            require_page(html)

    def begin(self, watched: EventWatch) -> None:
        """Follow a watch whose block size is known; a second call does nothing."""
        if self.has_begun:
            return
        self.has_begun = True
        if self.record is not None:
            self._recorder = Recorder(watched, self.record)
        if self.html is not None:
            from radixlab.viz.event_log import EventLog

            self._log = EventLog(snapshot(watched), self._piece, PAGE_BYTES)
            self._detach = attach(watched, self._log.events.append)

    def tidy(self) -> None:
        """Let the page forget its oldest events if there are too many."""
        if self._log is not None:
            self._log.shorten()

    def close(self, watched: EventWatch) -> None:
        """Complete the files, and say on stderr what they hold."""
        self.begin(watched)
        self._detach()
        if self._recorder is not None:
            self._recorder.close()
            click.echo(f"{self.record}: {self._recorder.num_events:,} events", err=True)
        if self._log is not None and self.html is not None:
            from radixlab.viz.page import save_page

            title = printable(watched.where())
            frame = {"title": title, "sources": {}, "requests": False, "lamp": False}
            click.echo(save_page(self.html, self._log.to_json() | frame), err=True)

    @property
    def said(self) -> str:
        """Name the files that are written."""
        names = [str(path) for path in (self.record, self.html) if path is not None]
        return f"; writes {' and '.join(names)}" if names else ""
