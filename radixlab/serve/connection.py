"""A connection whose client must say within bounds what it wants.

The parser of uvicorn waits for the end of a request's head as long as its client likes, and keeps
all of it. So a few silent connections, or one endless header, could hold the server's sockets and
memory for ever. Here a head may have `MOST_HEAD_BYTES`, and must be there after `HEAD_S` seconds.
What comes after the head is bounded in `limits.py`.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 2**10
"""Bytes of an unfinished head, above which the client gets 400."""
HEAD_S = 30.0
"""Seconds from a connection's start, or a head's first byte, to the end of the head."""


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol with bounds on the head of a request."""

    _timer: asyncio.TimerHandle | None = None
    _num_head_bytes = 0
    _is_in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for a head."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        super().connection_lost(exc)
        self._stop_timer()

    def data_received(self, data: bytes) -> None:
        """Parse bytes, and give up on a head that is too long."""
        if self._timer is None and not self._is_in_body:
            self._wait_for_head()
        super().data_received(data)
        if self._timer is None or self.transport.is_closing():
            return
        self._num_head_bytes += len(data)
        if self._num_head_bytes > MOST_HEAD_BYTES:
            self.send_400_response("The head of the request is too long.")

    def on_headers_complete(self) -> None:
        """Take note that the head is there."""
        self._stop_timer()
        self._is_in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take note that the body is there."""
        self._is_in_body = False
        super().on_message_complete()

    def _wait_for_head(self) -> None:
        self._num_head_bytes = 0
        self._timer = self.loop.call_later(HEAD_S, self._give_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()
