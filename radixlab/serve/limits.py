"""What a request must pass before any route sees it: its key, and the size of its body.

The body is read here, whole and bounded in size and time, so that no route can be made to wait for
one or to keep one that is too large. `/health` and `/ready` need no key, because supervisors have
none. Where operators have a key of their own, the key of the clients does not open their paths.
"""

import asyncio
import hmac
from collections.abc import Collection
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radixlab.serve.errors import ApiError
from radixlab.serve.settings import Settings

OPEN_PATHS = ("/health", "/ready")
MOST_DISCARDED = 8
"""An oversize body is read and thrown away up to this multiple of the limit, so that a client which
sends everything before it reads gets the answer instead of a broken connection."""
BODY_S = 60.0
"""Seconds that a client gets to send a body; a slower one would hold its connection for ever."""


class Limits:
    """ASGI middleware that refuses bad keys (401, 403), slow (408) and oversize bodies (413).

    `operator_paths` need the operator's key, where there is one.
    """

    def __init__(self, app: ASGIApp, settings: Settings, operator_paths: Collection[str]) -> None:
        self._app = app
        self._key = _header(settings.api_key)
        self._operator_key = _header(settings.operator_key)
        self._operator_paths = frozenset(operator_paths)
        self._most = settings.max_body_bytes
        self._body_s = min(BODY_S, settings.request_timeout)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            self._check_key(scope["path"], headers)
            async with asyncio.timeout(self._body_s):
                body = await self._body(headers, receive)
        except TimeoutError:
            await self._too_slow().response()(scope, receive, send)
            return
        except ApiError as error:
            await error.response()(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay(body, receive), send)

    def _check_key(self, path: str, headers: dict[bytes, bytes]) -> None:
        is_for_operators = self._operator_key is not None and path in self._operator_paths
        if path in OPEN_PATHS or (self._key is None and not is_for_operators):
            return
        given = headers.get(b"authorization", b"")
        if _is_same(given, self._operator_key):
            return
        if not _is_same(given, self._key):
            what = "Incorrect API key provided." if given else "You didn't provide an API key."
            raise ApiError(
                401,
                f"{what} Send it as 'Authorization: Bearer YOUR_KEY'.",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if is_for_operators:
            raise ApiError(403, f"{path} needs the operator's key.", code="operator_key_required")

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        """Return the body; None if the client left while it was sending."""
        stated = headers.get(b"content-length", b"0")
        is_too_long = stated.isdigit() and int(stated[:20]) > self._most
        if is_too_long and (b"expect" in headers or int(stated[:20]) > self._most * MOST_DISCARDED):
            raise self._too_large()
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part, more = message.get("body", b""), message.get("more_body", False)
            size += len(part)
            if size > self._most:
                is_too_long = True
                parts.clear()
            if size > self._most * MOST_DISCARDED:
                break
            if not is_too_long:
                parts.append(part)
        if is_too_long:
            raise self._too_large()
        return b"".join(parts)

    def _too_slow(self) -> ApiError:
        return ApiError(
            408,
            f"The body was not sent within {self._body_s:g} s.",
            code="body_timeout",
            headers={"Connection": "close"},
        )

    def _too_large(self) -> ApiError:
        return ApiError(
            413,
            f"The body is too large: at most {self._most} bytes.",
            code="body_too_large",
            headers={"Connection": "close"},
        )


def _header(key: str | None) -> bytes | None:
    return None if key is None else f"Bearer {key}".encode()


def _is_same(given: bytes, wanted: bytes | None) -> bool:
    """Compare in a time that says nothing of how much is right."""
    return wanted is not None and hmac.compare_digest(given, wanted)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body first, and then whatever comes."""
    first: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return first.pop() if first else await receive()

    return replayed
