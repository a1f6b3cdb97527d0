"""What the server refuses, with which status, and by which name: always in OpenAI's shape."""

import itertools
import json
import socket

import pytest

from tests.serve.helpers import TEXT, idle, served, streaming, wait_until

ASKED = {"model": "tiny", "prompt": "a", "max_tokens": 2}
TALK = {"model": "tiny", "messages": [{"role": "user", "content": "a"}], "max_tokens": 2}
LIMIT = 12_000


@pytest.fixture(scope="module")
def client():
    with served(max_body_bytes=LIMIT, max_answers=8) as client:
        yield client
        assert idle(client)


def refused(answer, status, param=None, code=None):
    got, _, body = answer
    assert got == status, body
    assert body.keys() == {"error"} and body["error"].keys() == {"message", "type", "param", "code"}
    assert body["error"]["param"] == param and body["error"]["code"] == code
    assert body["error"]["message"] and body["error"]["type"]
    return body["error"]["message"]


TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
UNSUPPORTED = {
    "tools": [TOOL],
    "tool_choice": "required",
    "functions": [{"name": "f"}],
    "function_call": {"name": "f"},
    "response_format": {"type": "json_object"},
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "wav"},
    "prediction": {"type": "content", "content": "a"},
    "reasoning_effort": "high",
    "verbosity": "low",
    "web_search_options": {},
    "store": True,
    "service_tier": "flex",
    "echo": True,
    "suffix": "b",
    "best_of": 3,
}
PATHS = {"/v1/completions": ASKED, "/v1/chat/completions": TALK}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("field", UNSUPPORTED)
def test_what_cannot_be_honoured_is_refused_by_name(client, path, field):
    answer = client.send(path, {**PATHS[path], field: UNSUPPORTED[field]})
    assert field in refused(answer, 400, field)


NEUTRAL = {
    "tools": [], "tool_choice": "none", "response_format": {"type": "text"}, "modalities": ["text"],
    "store": False, "service_tier": "auto", "echo": False, "suffix": "", "best_of": 1,
    "user": "me", "metadata": {"a": "b"}, "prompt_cache_key": "k", "safety_identifier": "s",
}  # fmt: skip


@pytest.mark.parametrize("field", [*NEUTRAL, *UNSUPPORTED])
def test_what_asks_for_nothing_changes_nothing(client, field):
    for path, body in PATHS.items():
        for value in {json.dumps(NEUTRAL.get(field)), "null"}:
            greedy = {**body, "temperature": 0}
            plain = client.send(path, greedy)[2]
            status, _, answer = client.send(path, {**greedy, field: json.loads(value)})
            assert status == 200, answer
            assert answer["choices"] == plain["choices"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("field", ["beam_width", "promt", "Prompt", "__class__", "é", "body"])
def test_an_unknown_field_is_refused_by_name(client, path, field):
    assert field in refused(client.send(path, {**PATHS[path], field: 1}), 400, field)


WRONG = [
    *(("max_tokens", value) for value in (0, -1, 1.5, True, "7", [7], 2**31, 10**30)),
    *(("temperature", value) for value in (-0.1, "0", [], True)),
    *(("top_p", value) for value in (0, -1, 1.01, "1")),
    *(("top_k", value) for value in (-2, 1.5, "1")),
    *(("n", value) for value in (0, -1, 9, 129, 1.0, "2")),
    *(("seed", value) for value in (2**64, -(2**63) - 1, "1", 1.5)),
    *(("stop", value) for value in (["a"] * 17, [1], 7, {"a": 1})),
    *(("stream", value) for value in ("true", 1)),
    *(("cache_salt", value) for value in ("", "a" * 129, "a@b", "a/b", "a\\b", "a\0b", 7)),
    *(("model", value) for value in (None, 7)),
    *(("stream_options", value) for value in ({"include_usage": True}, "x", {"a": 1})),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("field, value", WRONG, ids=lambda value: repr(value)[:20])
def test_a_wrong_value_is_refused_with_its_field(client, path, field, value):
    answer = client.send(path, {**PATHS[path], field: value})
    assert answer[0] == 400, answer
    assert answer[2]["error"]["param"].startswith(field)


RAW = {
    "not JSON": b"{not json}",
    "cut off": b'{"model": "tiny", "prompt": "a',
    "no object": b"[1, 2]",
    "a number": b"7",
    "null": b"null",
    "nothing": b"",
    "NaN": b'{"model": "tiny", "prompt": "a", "temperature": NaN}',
    "infinity": b'{"model": "tiny", "prompt": "a", "temperature": 1e999}',
    "half a character": b'{"model": "tiny", "prompt": "\\ud800"}',
    "half a character in a name": b'{"\\ud800": "tiny"}',
    "not UTF-8": b'{"model": "tiny", "prompt": "\xff\xfe"}',
    "deep": b"[" * 5900 + b"]" * 5900,
    "deep object": b'{"a":' * 1800 + b"1" + b"}" * 1800,
    "a giant number": b'{"model": "tiny", "prompt": "a", "seed": ' + b"9" * 4400 + b"}",
    "a salt of half a character": b'{"model": "tiny", "prompt": "a", "cache_salt": "\\ud800"}',
    "a null byte": b"\0",
    "two objects": b'{"model": "tiny"}{"model": "tiny"}',
}


@pytest.mark.parametrize("path", [*PATHS, "/tokenize", "/detokenize"])
@pytest.mark.parametrize("body", RAW.values(), ids=RAW)
def test_a_malformed_body_is_a_bad_request(client, path, body):
    status, _, answer = client.send(path, body, method="POST")
    assert status == 400 and answer["error"]["type"] == "invalid_request_error"


def test_json_of_another_type_is_refused_with_a_hint(client):
    answer = client.send("/v1/completions", ASKED, headers={"Content-Type": "text/plain"})
    assert "application/json" in refused(answer, 400)


BAD_PROMPTS = ["", [], [[]], [7, []], [-1], [549], [[7], [2**31]], [True], ["a", 7], None, {"a": 1}]


@pytest.mark.parametrize("prompt", BAD_PROMPTS, ids=repr)
def test_a_bad_prompt_is_refused(client, prompt):
    status, _, answer = client.send("/v1/completions", {**ASKED, "prompt": prompt})
    assert status == 400 and answer["error"]["param"].startswith("prompt")


BAD_MESSAGES = {
    "none": [],
    "no role": [{"content": "a"}],
    "an unknown role": [{"role": "tool", "content": "a"}],
    "an image": [{"role": "user", "content": [IMAGE]}],
    "a call": [{"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}],
    "an unknown part": [{"role": "user", "content": "a", "mood": "good"}],
    "text": "a",
}


@pytest.mark.parametrize("messages", BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_bad_messages_are_refused(client, messages):
    status, _, answer = client.send("/v1/chat/completions", {**TALK, "messages": messages})
    assert status == 400 and answer["error"]["param"].startswith("messages")


@pytest.mark.parametrize("more", [1, 1000, 3 * LIMIT, 100 * LIMIT])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_an_oversize_body_gets_413(client, more, is_chunked):
    body = json.dumps({**ASKED, "prompt": "a" * (LIMIT + more)}).encode()
    host, port = client.url.removeprefix("http://").split(":")
    head = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(body)}"
    sent = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n" if is_chunked else body
    with socket.create_connection((host, int(port)), timeout=60) as peer:
        lines = "POST /v1/completions HTTP/1.1", f"Host: {host}", "Content-Type: application/json"
        peer.sendall("\r\n".join([*lines, head, "", ""]).encode())
        try:
            peer.sendall(sent)
            answer = peer.makefile("rb").readline()
        except ConnectionError:  # far more than the server reads
            assert more > 8 * LIMIT
            return
    assert b" 413 " in answer or (more > 8 * LIMIT and not answer)


def test_a_body_at_the_limit_is_read(client):
    empty = len(json.dumps({**ASKED, "prompt": ""}))
    body = json.dumps({**ASKED, "prompt": "a " * ((LIMIT - empty) // 2)})
    assert LIMIT - 2 < len(body) <= LIMIT
    answer = client.send("/v1/completions", body.encode())
    assert "room" in refused(answer, 400, "prompt", "context_length_exceeded")


def test_the_context_counts_prompt_and_answer(client):
    def asked(num_prompt, max_tokens):
        body = {"model": "tiny", "prompt": [7] * num_prompt, "max_tokens": max_tokens}
        return client.send("/v1/completions", body)

    assert asked(2040, 8)[0] == 200
    refused(asked(2040, 9), 400, "max_tokens", "context_length_exceeded")
    refused(asked(2048, 1), 400, "prompt", "context_length_exceeded")


def test_without_max_tokens_the_answer_has_the_room_that_is_left(client):
    body = {"model": "tiny", "prompt": [7] * 2040, "ignore_eos": True}
    answer = client.send("/v1/completions", body)[2]
    assert answer["usage"]["completion_tokens"] == 8


def test_unknown_paths_and_methods(client):
    refused(client.send("/v2/nothing"), 404)
    refused(client.send("/v1/completions"), 405)
    refused(client.send("/debug/cache"), 404)
    refused(client.send("/v1/models/other"), 404, "model", "model_not_found")


def test_max_tokens_by_two_names_must_agree(client):
    body = {**TALK, "max_tokens": 2, "max_completion_tokens": 2}
    assert client.send("/v1/chat/completions", body)[0] == 200
    body["max_completion_tokens"] = 3
    refused(client.send("/v1/chat/completions", body), 400, "max_tokens")


SCOPE = {
    "/health": 200,
    "/ready": 200,
    "/metrics": 401,
    "/v1/models": 401,
    "/debug/cache": 401,
    "/openapi.json": 401,
    "/nothing": 401,
}


def test_the_key_is_needed_everywhere_but_for_health():
    with served(api_key="sécret", debug=True) as client:
        paths = {**SCOPE, "/reset_prefix_cache": 401, "/tokenize": 401, "/v1/completions": 401}
        keys = ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"})
        client.key = None
        for (path, status), headers in itertools.product(paths.items(), keys):
            body = None if path in SCOPE else {}
            answer = client.send(path, body, headers=headers)
            assert answer[0] == status, path
            if status == 401:
                refused(answer, 401, None, "invalid_api_key")
                assert answer[1]["WWW-Authenticate"] == "Bearer"


def test_with_the_key_all_is_open():
    with served(api_key="secret", debug=True) as client:
        assert all(client.send(path)[0] == 200 for path in SCOPE if path != "/nothing")
        assert client.send("/reset_prefix_cache", {})[0] == 200


def test_a_reset_is_refused_while_requests_run():
    with served() as client:
        client.complete(TEXT, max_tokens=4)
        assert client.metrics()['blocks{state="evictable"}'] > 0
        with streaming(client, max_tokens=1500):
            message = refused(client.send("/reset_prefix_cache", {}), 409, None, "requests_running")
            assert "1 sequence" in message
        assert wait_until(lambda: idle(client))
        assert client.send("/reset_prefix_cache", {})[0] == 200
        assert client.metrics()['blocks{state="free"}'] == 256


def test_tokens_there_and_back(client):
    told = client.send("/tokenize", {"prompt": TEXT, "return_token_strs": True})[2]
    assert told["count"] == len(told["tokens"]) == len(told["token_strs"])
    assert told["max_model_len"] == 2048
    assert client.send("/detokenize", {"tokens": told["tokens"]})[2] == {"prompt": TEXT}
    talk = client.send("/tokenize", {"messages": TALK["messages"]})[2]
    used = client.send("/v1/chat/completions", TALK)[2]["usage"]
    assert talk["count"] == used["prompt_tokens"]
    refused(client.send("/detokenize", {"tokens": [549]}), 400, "tokens")
    refused(client.send("/tokenize", {}), 400, "prompt")
