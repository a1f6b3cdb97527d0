"""The page of a server's metrics, over HTTP.

Every failure is one line that names the address. The key is sent to that server only: a redirect to
another one is refused. This file knows HTTP. It does not know what is on the page.
"""

import http.client
import urllib.error
import urllib.request
from typing import IO
from urllib.parse import urlsplit, urlunsplit

from radixlab.observe.monitor.exposition import MonitorError

MAX_PAGE_BYTES = 2**24
TIMEOUT_S = 10.0


class UnreachableError(MonitorError):
    """No page came from the address."""


def metrics_url(url: str) -> str:
    """Complete what a person types to the address of the metrics.

    >>> metrics_url("localhost:8000"), metrics_url("https://gpu/v1/")
    ('http://localhost:8000/metrics', 'https://gpu/metrics')
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        is_bad_port = parts.port is not None and not 0 < parts.port < 2**16
    except ValueError:
        is_bad_port = True
    if parts.scheme not in ("http", "https") or not parts.hostname or is_bad_port:
        raise UnreachableError(f"{url!r} is not the address of a server: write http://HOST:PORT")
    path = parts.path.rstrip("/").removesuffix("/v1")
    if not path.endswith("/metrics"):
        path += "/metrics"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def fetch(url: str, api_key: str | None = None, timeout_s: float = TIMEOUT_S) -> str:
    """Return the text of a page of metrics; raise `UnreachableError` if none comes."""
    headers = {"Accept": "text/plain", "User-Agent": "radixlab"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    opener = urllib.request.build_opener(_SameServer())
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=timeout_s) as answer:
            body: bytes = answer.read(MAX_PAGE_BYTES + 1)
            promised = answer.headers.get("Content-Length", "")
    except urllib.error.HTTPError as error:
        raise UnreachableError(f"{url}: {_of_status(error.code)}") from None
    except http.client.IncompleteRead as error:
        raise UnreachableError(
            f"{url}: the page is cut off after {len(error.partial):,} bytes"
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise UnreachableError(f"{url}: cannot be reached: {text}") from None
    if promised.isdecimal() and len(body) < min(int(promised), MAX_PAGE_BYTES):
        raise UnreachableError(
            f"{url}: the page is cut off after {len(body):,} of {promised} bytes"
        )
    if len(body) > MAX_PAGE_BYTES:
        raise UnreachableError(f"{url}: the page has more than {MAX_PAGE_BYTES:,} bytes")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreachableError(
            f"{url}: the page is not text (byte {error.start} is not UTF-8)"
        ) from None


def _of_status(code: int) -> str:
    if code == 403:
        return "refused (403): give the operator's key with --api-key or RADIXLAB_OPERATOR_KEY"
    if code == 401:
        return "refused (401): give the server's key with --api-key or RADIXLAB_API_KEY"
    if code == 404:
        return "there is no such page (404); SGLang has one with --enable-metrics"
    return f"the server answered {code} {http.client.responses.get(code, '')}".rstrip()


class _SameServer(urllib.request.HTTPRedirectHandler):
    """Follows redirects only to the same scheme, host and port."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Refuse to carry the key elsewhere."""
        if urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            raise UnreachableError(f"{req.full_url}: redirects to another server, {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
