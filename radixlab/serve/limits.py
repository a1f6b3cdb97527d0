"""What a request must pass before any route sees it: its key, and the size of its body.

The body is read here, whole and bounded, so that no route can be made to wait for one or to keep
one that is too large. `/health` and `/ready` need no key, because supervisors have none.
"""

import hmac
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radixlab.serve.errors import ApiError

OPEN_PATHS = ("/health", "/ready")
MOST_DISCARDED = 8
"""An oversize body is read and thrown away up to this multiple of the limit, so that a client which
sends everything before it reads gets the answer instead of a broken connection."""


class Limits:
    """ASGI middleware that refuses bad keys (401) and oversize bodies (413)."""

    def __init__(self, app: ASGIApp, api_key: str | None, max_body_bytes: int) -> None:
        self._app = app
        self._key = None if api_key is None else f"Bearer {api_key}".encode()
        self._most = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            self._check_key(scope["path"], headers)
            body = await self._body(headers, receive)
        except ApiError as error:
            await error.response()(scope, receive, send)
            return
        if body is not None:
            await self._app(scope, _replay(body, receive), send)

    def _check_key(self, path: str, headers: dict[bytes, bytes]) -> None:
        if self._key is None or path in OPEN_PATHS:
            return
        given = headers.get(b"authorization", b"")
        if not hmac.compare_digest(given, self._key):
            what = "Incorrect API key provided." if given else "You didn't provide an API key."
            raise ApiError(
                401,
                f"{what} Send it as 'Authorization: Bearer YOUR_KEY'.",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )

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

    def _too_large(self) -> ApiError:
        return ApiError(
            413,
            f"The body is too large: at most {self._most} bytes.",
            code="body_too_large",
            headers={"Connection": "close"},
        )


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body first, and then whatever comes."""
    first: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return first.pop() if first else await receive()

    return replayed
