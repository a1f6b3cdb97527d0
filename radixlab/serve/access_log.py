"""The access log: one line for each request, with numbers and reasons but no text of anybody.

    POST /v1/completions 200 id=cmpl-… prompt_tokens=64 cached_tokens=48 miss_reason=never_seen …

Prompts are written only to the file that `--log-prompts` names, one JSON object a line: the body of
each answered request with a timestamp and its usage.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radixlab.serve.mailbox import Begun

CLIENT_GONE = 499
"""The status in the log of a request whose client left before the answer, as nginx writes it."""


@dataclass(slots=True)
class Entry:
    """What the log says of one request; None for what it does not have."""

    method: str
    path: str
    arrived: float
    """By `time.monotonic`."""
    status: int = CLIENT_GONE
    id: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    miss_reason: str | None = None
    """Why the rest of its first prompt was not cached."""
    completion_tokens: int | None = None
    finish_reason: str | None = None
    queue_s: float | None = None
    first_token_s: float | None = None
    total_s: float | None = None
    body: dict[str, Any] | None = field(default=None, repr=False)
    """The body as it was sent, if prompts are logged."""

    def begin(self, begun: Begun) -> None:
        """Take note that a prompt was admitted."""
        self.cached_tokens = (self.cached_tokens or 0) + begun.num_cached_tokens
        if self.queue_s is None:
            self.queue_s, self.miss_reason = begun.queue_s, begun.miss_reason

    def fields(self) -> dict[str, Any]:
        """Return what is known, with rounded times."""
        hidden = ("arrived", "body")
        values = {name: getattr(self, name) for name in self.__slots__ if name not in hidden}
        return {
            name: round(value, 6) if isinstance(value, float) else value
            for name, value in values.items()
            if value is not None
        }


class AccessLog:
    """Writes the lines.

    `write` gets each line; None writes none. `prompts` is the file for bodies, readable by its
    owner only.
    """

    def __init__(
        self,
        write: Callable[[str], object] | None,
        is_json: bool = False,
        prompts: Path | None = None,
    ) -> None:
        self._write = write
        self._is_json = is_json
        self._prompts: TextIO | None = _open_private(prompts) if prompts else None

    @property
    def wants_bodies(self) -> bool:
        """Whether prompts are logged."""
        return self._prompts is not None

    def line(self, entry: Entry) -> None:
        """Write a request's line."""
        if self._write is None:
            return
        fields = entry.fields()
        if self._is_json:
            self._write(json.dumps({"time": round(time.time(), 3), **fields}))
            return
        head = [str(fields.pop(name)) for name in ("method", "path", "status")]
        self._write(" ".join([*head, *(f"{name}={value}" for name, value in fields.items())]))

    def prompt(self, entry: Entry, usage: dict[str, Any]) -> None:
        """Write a request's body and usage, if prompts are logged."""
        if self._prompts is None or entry.body is None:
            return
        line = {"timestamp": round(time.time(), 3), "id": entry.id, **entry.body, "usage": usage}
        try:
            self._prompts.write(json.dumps(line) + "\n")
            self._prompts.flush()
        except OSError as error:  # the disk is full: the answer goes out all the same
            self._give_up_prompts(error)

    def _give_up_prompts(self, error: OSError) -> None:
        self.close()
        self._prompts = None
        if self._write is not None:
            self._write(f"error: prompts are not logged any more: {error.strerror}")

    def close(self) -> None:
        """Close the file of prompts."""
        if self._prompts is not None:
            with suppress(OSError):  # what could not be written before cannot be now
                self._prompts.close()


class Logged:
    """ASGI middleware: gives every request an `Entry`, and writes its line at the end.

    The server's own `send` is kept in the scope, for parts of a body: of these no middleware needs
    to know, and a token would pass through all of them.
    """

    def __init__(self, app: ASGIApp, log: AccessLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        entry = Entry(scope["method"], _printable(scope["path"]), time.monotonic())
        scope["radixlab.entry"] = entry
        scope["radixlab.send"] = send

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            entry.total_s = time.monotonic() - entry.arrived
            self._log.line(entry)


def _printable(path: str) -> str:
    """Return a path that cannot break a line or a column of the log."""
    return "".join(c if c.isprintable() and c != " " else "?" for c in path)[:200]


def _open_private(path: Path) -> TextIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8")
