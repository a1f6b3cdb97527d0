"""The short way past FastAPI refuses what FastAPI refuses, with the same words."""

import asyncio
import json

import pytest

from radixlab.serve.async_llm import AsyncLLM
from radixlab.serve.direct import Direct
from radixlab.serve.models import builder
from radixlab.serve.server import create_app
from radixlab.serve.settings import Settings
from tests.serve.helpers import served  # noqa: F401  (skips where the server is not installed)

PATHS = ("/v1/completions", "/v1/chat/completions")
GOOD = {"model": "tiny", "prompt": "a"}
TALK = {"model": "tiny", "messages": [{"role": "user", "content": "a"}]}
TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    " application/json",
    "application/vnd.api+json",
    "application/x+JSON",
    "text/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/",
    "json",
    "/",
    ";",
    "",
    "application/json, text/plain",
    "application/json\tx",
    None,
]
BODIES = [
    b"",
    b" ",
    b"null",
    b"true",
    b"7",
    b'"text"',
    b"[]",
    b"{}",
    b"{",
    b'{"model": "tiny", "prompt": "a"} x',
    b"\xff",
    b"\xef\xbb\xbf{}",
    json.dumps(GOOD).encode("utf-16"),
    json.dumps(GOOD).encode("utf-8-sig"),
    b'{"model": "tiny", "prompt": "\\ud800"}',
    b'{"model": "tiny", "prompt": "a", "n": NaN}',
    b'{"model": "tiny", "prompt": "a", "n": ' + b"9" * 5000 + b"}",
    b'{"model": "tiny", "prompt": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"model": "tiny", "prompt": "a", "prompt": 3}',
    *(
        json.dumps(body).encode()
        for good in (GOOD, TALK)
        for body in (
            good,
            {**good, "model": None},
            {**good, "model": 3},
            {**good, "unknown": 1},
            {**good, "unknown": 1, "another": 2},
            {**good, "tools": [1]},
            {**good, "n": "3"},
            {**good, "n": 0},
            {**good, "stop": [1]},
            {**good, "stream_options": {"extra": 1}},
            {**good, "stream": "yes"},
            {**good, "logit_bias": {"1": 1e9}},
            {"model": "tiny"},
        )
    ),
    json.dumps({**TALK, "messages": [{"role": "nobody", "content": "a"}]}).encode(),
    json.dumps({**TALK, "messages": [{"role": "user", "content": [{"type": "image"}]}]}).encode(),
    json.dumps({**GOOD, "prompt": [1, "a", [2]]}).encode(),
]


def apps():
    """Return the server's application, and the same without the short way."""
    settings = Settings()
    both = []
    for is_direct in (True, False):
        app = create_app(AsyncLLM(builder(settings)), settings)
        if not is_direct:
            app.user_middleware = [each for each in app.user_middleware if each.cls is not Direct]
        both.append(app)
    return both


async def ask(app, path, body, content_type, method="POST"):
    """Return the status and the body of an answer."""
    headers = [] if content_type is None else [(b"content-type", content_type.encode())]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode()}
    scope |= {"headers": headers, "query_string": b"", "server": ("x", 80), "scheme": "http"}
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    sent = []

    async def receive():
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_the_two_ways_exist():
    direct, plain = apps()
    assert [sum(each.cls is Direct for each in app.user_middleware) for app in (direct, plain)] == [
        1,
        0,
    ]


@pytest.mark.parametrize("path", PATHS)
def test_every_body_is_refused_alike_both_ways(path):
    direct, plain = apps()
    statuses = set()
    for content_type in TYPES:
        for body in BODIES:
            one = asyncio.run(ask(direct, path, body, content_type))
            assert one == asyncio.run(ask(plain, path, body, content_type)), (content_type, body)
            statuses.add(one[0])
    assert statuses == {400, 503}  # a good body meets a server that is not ready


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "post"])
def test_other_methods_are_refused_alike_both_ways(path, method):
    one, other = (asyncio.run(ask(app, path, b"{}", "application/json", method)) for app in apps())
    assert one == other and one[0] == 405
