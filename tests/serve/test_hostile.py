"""Clients that mean harm: bodies full of faults, bodies that never end, hosts that are not ours."""

import contextlib
import json
import socket
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from radixlab.serve import connection
from radixlab.serve.bodies import ChatBody, CompletionBody, DetokenizeBody, TokenizeBody
from tests.serve.helpers import TEXT, events_of, idle, served

ASKED = {"model": "tiny", "prompt": "a", "max_tokens": 2}
TALK = {"model": "tiny", "messages": [{"role": "user", "content": "a"}], "max_tokens": 2}
MANY = 2000


@pytest.fixture(scope="module")
def client():
    with served(max_answers=8, request_timeout=2.0, api_key="secret") as client:
        yield client
        assert idle(client)


def raw(client, request):
    """Send bytes; return all that comes until the server closes the connection."""
    host, port = client.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as peer:
        peer.sendall(request)
        return peer.makefile("rb").read()


def names(value):
    return {f"{number}": value for number in range(MANY)}


FAULTS = {
    "no prompts": (CompletionBody, {**ASKED, "prompt": [[]] * MANY}),
    "negative ids": (CompletionBody, {**ASKED, "prompt": [-1] * MANY}),
    "lists of negative ids": (CompletionBody, {**ASKED, "prompt": [[-1] * MANY] * 9}),
    "mixed prompts": (CompletionBody, {**ASKED, "prompt": ["a", 1] * MANY}),
    "null prompts": (CompletionBody, {**ASKED, "prompt": [None] * MANY}),
    "stops": (CompletionBody, {**ASKED, "stop": [1] * MANY}),
    "stop ids": (CompletionBody, {**ASKED, "stop_token_ids": ["x"] * MANY}),
    "biases": (CompletionBody, {**ASKED, "logit_bias": names("x")}),
    "metadata": (CompletionBody, {**ASKED, "metadata": names(1)}),
    "unknown fields": (CompletionBody, {**ASKED, **names(1)}),
    "empty messages": (ChatBody, {**TALK, "messages": [{}] * MANY}),
    "unknown fields of a message": (ChatBody, {**TALK, "messages": [names(1)]}),
    "parts": (ChatBody, {**TALK, "messages": [{"role": "user", "content": [{}] * MANY}]}),
    "unknown fields of options": (ChatBody, {**TALK, "stream_options": names(1)}),
    "messages to tokenize": (TokenizeBody, {"messages": [{}] * MANY}),
    "unknown fields to tokenize": (TokenizeBody, names(1)),
    "tokens": (DetokenizeBody, {"tokens": [-1] * MANY}),
}


@pytest.mark.parametrize("kind, body", FAULTS.values(), ids=FAULTS)
def test_a_body_of_many_faults_is_refused_at_the_first(kind, body):
    """A list of a million faults would stop the event loop, and everybody's answers with it."""
    with pytest.raises(ValidationError) as refusal:
        kind(**body)
    assert refusal.value.error_count() < 20


TOO_MANY = {
    "logit_bias": names(1),
    "stop_token_ids": [0] * MANY,
    "metadata": names("a"),
    "7": 1,
}


@pytest.mark.parametrize("field", TOO_MANY)
def test_what_names_too_much_is_refused_by_name(client, field):
    for path, body in (("/v1/completions", ASKED), ("/v1/chat/completions", TALK)):
        status, _, answer = client.send(path, {**body, **names(1), field: TOO_MANY[field]})
        assert status == 400 and answer["error"]["message"]
        status, _, answer = client.send(path, {**body, field: TOO_MANY[field]})
        assert (status, answer["error"]["param"]) == (400, field)


@pytest.mark.parametrize("twice", [("7", "07"), ("0", "000"), ("12", "0000000012")])
def test_a_bias_that_is_given_twice_is_refused(client, twice):
    """One of the two would be ignored without a word."""
    biases = {twice[0]: -100, twice[1]: 100}
    status, _, answer = client.send("/v1/completions", {**ASKED, "logit_bias": biases})
    assert (status, answer["error"]["param"]) == (400, "logit_bias")


@pytest.mark.parametrize("prompt", ["a " * 9000, [7] * 5000], ids=["texts", "ids"])
def test_too_many_prompts_are_refused_before_they_are_read(client, prompt):
    """No prompt here fits, but their number is what is refused."""
    body = {**ASKED, "prompt": [prompt] * 5, "n": 2}
    status, _, answer = client.send("/v1/completions", body)
    assert (status, answer["error"]["param"]) == (400, "n")


PATHS = ["/v1/completions", "/v1/chat/completions", "/tokenize", "/metrics", "/reset_prefix_cache"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_answer_sends_a_client_to_another_host(client, path, method):
    head = f"{method} {path}/ HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n"
    answer = raw(client, f"{head}Authorization: Bearer secret\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 ") and b"elsewhere" not in answer


@pytest.mark.parametrize(
    "sent", ["Content-Length: 90\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n"]
)
@pytest.mark.parametrize("path", ["/v1/completions", "/health"])
def test_a_body_that_does_not_come_is_not_waited_for(sent, path):
    with served(request_timeout=0.3) as client:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        head, _, body = raw(client, f"{head}{sent}".encode()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert json.loads(body)["error"]["code"] == "body_timeout"


def test_a_fault_of_ours_tells_the_client_nothing_and_the_operator_where(capsys):
    def breaks(llm):
        def raising():
            raise ValueError(TEXT)

        llm.engine.reset = raising

    with served(breaks) as client:
        status, _, answer = client.send("/reset_prefix_cache", {})
    told = capsys.readouterr().err
    assert (status, answer["error"]["type"]) == (500, "server_error")
    assert "error: a fault of the server: ValueError" in told and "in raising" in told
    assert TEXT[:20] not in told + json.dumps(answer)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_costs_the_log_of_prompts_and_no_answer():
    with served(log_prompts=Path("/dev/full")) as client:
        for is_stream in (True, False, True):
            body = {"model": "tiny", "prompt": TEXT, "max_tokens": 2, "stream": is_stream}
            status, _, answer = client.send("/v1/completions", body)
            assert status == 200 and (not is_stream or events_of(answer))
    assert sum("prompts are not logged any more" in line for line in client.lines) == 1
    assert sum(" 200 " in line for line in client.lines) == 3


HEADS = {
    "silence": b"",
    "half a method": b"GE",
    "no end": b"GET /health HTTP/1.1\r\nHost: x\r\n",
    "half a name": b"GET /health HTTP/1.1\r\nHo",
}


@pytest.mark.parametrize("sent", HEADS.values(), ids=HEADS)
def test_a_head_that_does_not_come_is_not_waited_for(client, monkeypatch, sent):
    monkeypatch.setattr(connection, "HEAD_S", 0.2)
    assert raw(client, sent) == b""  # returns because the server closes the connection
    host, port = client.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as peer:
        peer.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert peer.recv(12) == b"HTTP/1.1 200"
        peer.sendall(sent or b"G")
        assert b"HTTP/1.1" not in peer.makefile("rb").read()


@pytest.mark.parametrize("piece", [b"a" * 1000, b"a: b\r\n" * 150], ids=["one header", "many"])
@pytest.mark.parametrize("start", [b"GET /", b"GET /health HTTP/1.1\r\nX: "], ids=["url", "header"])
def test_an_endless_head_is_cut(client, start, piece):
    """The server keeps at most what it has read at once above its limit."""
    host, port = client.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as peer:
        sent, most = 0, 20 * 2**20
        with contextlib.suppress(ConnectionError):
            peer.sendall(start)
            while sent < most:
                peer.sendall(piece)
                sent += len(piece)
        assert sent < most


def test_a_long_head_that_ends_is_read(client):
    head = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + b"a" * 60_000
    assert raw(client, head + b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_an_answer_may_take_longer_than_a_head(client, monkeypatch):
    monkeypatch.setattr(connection, "HEAD_S", 0.05)
    gate = threading.Event()
    client.server.llm.call_soon(lambda llm: gate.wait(60))
    timer = threading.Timer(0.5, gate.set)
    timer.start()
    assert client.complete("a", max_tokens=2)["choices"]
    timer.join()
