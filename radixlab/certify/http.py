"""HTTP to the server, with bounds: on time, on bytes, and on how long a busy server is asked again.

A key is sent to the given server only, because redirects are not followed. This file knows HTTP. It
does not know OpenAI's API.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from radixlab.certify.outcome import CannotTell, CertifyError
from radixlab.observe.monitor.fetch import UnreachableError, metrics_url

MOST_BYTES = 2**25
"""Most bytes of one answer."""
BUSY = (429, 502, 503, 504)
"""Statuses of a server, or a gateway before it, that cannot answer now."""
PAUSE_S = 0.5
"""Seconds between two tries, unless the server names another time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is not."""
        with suppress(ValueError, RecursionError):
            return json.loads(self.text)
        return None


class FaultError(CannotTell):
    """The server answered with 5xx."""


class Http:
    """One server's address, with the keys that open it.

    `operator_key` opens metrics and reset where the clients' key does not. `transport` carries the
    bytes; by default the network does.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        operator_key: str | None = None,
        timeout_s: float = 60.0,
        patience_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        try:
            self.root = metrics_url(url).removesuffix("/metrics")
        except UnreachableError as error:
            raise CertifyError(str(error)) from None
        self.timeout_s, self.patience_s = timeout_s, patience_s
        self._key, self._operator_key = api_key, operator_key or api_key
        self._client = httpx.Client(timeout=timeout_s, transport=transport)

    def __enter__(self) -> "Http":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, is_operator: bool = False) -> Reply:
        """Get a page."""
        with self._sent("GET", path, None, is_operator) as response:
            return self._read(response)

    def post(self, path: str, body: Any, is_operator: bool = False) -> Reply:
        """Send JSON, or bytes as they are. A busy server is asked again for a while."""
        until = time.monotonic() + self.patience_s
        while True:
            with self._sent("POST", path, body, is_operator) as response:
                reply = self._read(response)
            if reply.status not in BUSY:
                return reply
            pause_s = _pause_s(reply)
            if time.monotonic() + pause_s > until:
                raise CannotTell(f"the server is busy: POST {path} got {reply.status}")
            time.sleep(pause_s)

    @contextmanager
    def stream(
        self, path: str, body: Any
    ) -> Iterator[tuple[int, Mapping[str, str], Iterator[Any]]]:
        """Yield the status, the headers, and the JSON objects of a stream as they come.

        Leaving the block early closes the connection.
        """
        with self._sent("POST", path, body, False) as response:
            events = self._events(response)
            yield response.status_code, dict(response.headers), events

    @contextmanager
    def _sent(
        self, method: str, path: str, body: Any, is_operator: bool
    ) -> Iterator[httpx.Response]:
        key = self._operator_key if is_operator else self._key
        headers = {"User-Agent": "radixlab"} | ({"Authorization": f"Bearer {key}"} if key else {})
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            with self._client.stream(
                method, self.root + path, content=content, headers=headers
            ) as response:
                yield response
        except httpx.TimeoutException:
            raise CannotTell(f"{method} {path}: no answer within {self.timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise CannotTell(f"{method} {path}: {_words(error)}") from None

    def _read(self, response: httpx.Response) -> Reply:
        until, body = time.monotonic() + self.timeout_s, bytearray()
        for part in response.iter_bytes():
            body += part
            self._check(len(body), until)
        text = body.decode("utf-8", "replace")
        return Reply(response.status_code, dict(response.headers), text)

    def _events(self, response: httpx.Response) -> Iterator[Any]:
        """Yield the objects of server-sent events, up to `[DONE]`."""
        until, size = time.monotonic() + self.timeout_s, 0
        for line in response.iter_lines():
            size += len(line)
            self._check(size, until)
            if not line.startswith("data:"):
                continue
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                return
            try:
                yield json.loads(data)
            except (ValueError, RecursionError):
                raise CannotTell(f"the stream has a line that is not JSON: {data[:60]!r}") from None

    def _check(self, size: int, until: float) -> None:
        if size > MOST_BYTES:
            raise CannotTell(f"the answer has more than {MOST_BYTES:,} bytes")
        if time.monotonic() > until:
            raise CannotTell(f"the answer was not whole within {self.timeout_s:g} s")


def _pause_s(reply: Reply) -> float:
    """Return how long the server asks to wait."""
    said = reply.headers.get("retry-after", "")
    return max(PAUSE_S, float(said)) if said.replace(".", "", 1).isdecimal() else PAUSE_S


def _words(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return text or type(error).__name__


def explain_refusal(http: Http, reply: Reply, path: str) -> CertifyError:
    """Return what to tell a caller whose key the server does not take."""
    return CertifyError(
        f"{http.root}{path}: refused ({reply.status}): give the server's key with --api-key or "
        "RADIXLAB_API_KEY"
    )
