"""Lines of a log that nobody should trust: one clear line each, and the log goes on."""

import json

import pytest

from radixlab.why import lines
from radixlab.why.reading import read_log

USER = {"role": "user", "content": "x"}


def chat(**fields):
    return {"messages": [USER], **fields}


BAD = {
    "not JSON": (b"hello", "not JSON: Expecting value at character 1"),
    "half a line": (b'{"prompt": "the secret', "not JSON"),
    "two objects": (b'{"prompt": "a"}{"prompt": "b"}', "not JSON: Extra data"),
    "a list": ([chat()], "a list, where an object"),
    "a text": ("hello", "a text, where an object"),
    "null": (None, "null, where an object"),
    "NaN": (b'{"prompt": "x", "timestamp": NaN}', "NaN is not a number"),
    "Infinity": (b'{"prompt": "x", "timestamp": -Infinity}', "-Infinity is not a number"),
    "infinite by size": (b'{"prompt": "x", "timestamp": 1e999}', "timestamp is a number that"),
    "infinite in a tool": (
        b'{"messages": [{"role": "user", "content": "x"}], "tools": [{"a": 1e999}]}',
        "tools[0]: a number is too large",
    ),
    "hostile keys": (
        b'{"messages": [{"role": "user", "content": "x", "\\u001b[2J'
        + b"k" * 9999
        + b'": [1e999]}]}',
        'messages[0]["\\u001b[2Jkkk',
    ),
    "thousands of digits": (b'{"prompt": "x", "n": ' + b"9" * 9999 + b"}", "too many digits"),
    "deep lists": (b'{"prompt": ' + b"[" * 10**5 + b"]" * 10**5 + b"}", "nested too deep"),
    "deep objects": (b'{"a":' * 10**5 + b"1" + b"}" * 10**5, "nested too deep"),
    "deep in a tool": (
        b'{"messages": [{"role": "user", "content": "x"}], "tools": [{"a": '
        + b"[" * 10**5
        + b"]" * 10**5
        + b"}]}",
        "nested too deep",
    ),
    "not UTF-8": (b'{"prompt": "\xff"}', "not UTF-8: byte 13"),
    "UTF-16": ('{"prompt": "x"}'.encode("utf-16-le"), "not"),
    "zeros": (bytes(1000), "not JSON"),
    "half a character": (b'{"prompt": "\\ud83d"}', "prompt: half of a character"),
    "nothing": ({}, "no messages, prompt, input or token_ids"),
    "an empty prompt": ({"prompt": ""}, "prompt is empty"),
    "no messages": ({"messages": []}, "messages is empty"),
    "no token": ({"token_ids": []}, "token_ids is empty"),
    "no list of messages": ({"messages": {}}, "messages is an object, not a list"),
    "null messages": ({"messages": None}, "messages is empty"),
    "no object in them": ({"messages": [USER, 7]}, "messages[1] is a number, not an object"),
    "no role": ({"messages": [{"content": "x"}]}, "messages[0].role is null, not a role"),
    "a long role": ({"messages": [USER | {"role": "x" * 999}]}, "messages[0].role is a text, not"),
    "a content that is a number": (
        {"messages": [{"role": "user", "content": 7}]},
        "messages[0].content is a number, not a list",
    ),
    "a block that is a text": (
        {"messages": [{"role": "user", "content": ["x"]}]},
        "messages[0].content[0] is a text, not an object",
    ),
    "a block without a type": (
        {"messages": [{"role": "user", "content": [{"x": 1}]}]},
        "messages[0].content[0].type is null",
    ),
    "a text that is a list": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ["x"]}]}]},
        "messages[0].content[0].text is a list, not a text",
    ),
    "tools that are a text": (chat(tools="x"), "tools is a text, not a list"),
    "a tool that is a text": (chat(tools=["x"]), "tools[0] is a text, not an object"),
    "calls that are an object": (
        {"messages": [{"role": "assistant", "tool_calls": {}}]},
        "messages[0].tool_calls is an object, not a list",
    ),
    "a form that is a text": (chat(response_format="json"), "response_format is a text"),
    "negative ids": ({"token_ids": [5, -1]}, "token_ids[1] is negative, not a token id"),
    "ids beyond 32 bits": ({"token_ids": [2**31]}, "token_ids[0] is more than 2,147,483,647"),
    "ids beyond 64 bits": ({"token_ids": [2**70]}, "token_ids[0] is more than"),
    "ids that are fractions": ({"token_ids": [1, 2.0]}, "token_ids[1] is a number, not a token id"),
    "ids that are booleans": ({"token_ids": [1, True]}, "token_ids[1] is a boolean"),
    "mixed prompts": ({"prompt": ["x", 7]}, "prompt[1] is a number, not a text or a list"),
    "too many prompts": ({"prompt": ["x"] * 5000}, "prompt has 5,000 prompts, at most 4,096"),
    "a prompt that is an object": ({"prompt": {"id": "p"}}, "prompt is an object"),
    "embeddings as a prompt": ({"prompt_embeds": "QUJD"}, "prompt_embeds are not text"),
    "a prompt and a system prompt": ({"prompt": "x", "system": "y"}, "prompt with a system"),
    "a time that is none": (chat(timestamp="noon"), "timestamp is a text that is not a time"),
    "a time that is a list": (chat(timestamp=[1]), "timestamp is a list that is not a time"),
    "a session that is a list": (chat(session=[1]), "session is a list, not a name"),
    "a model that is a list": (chat(model=[1]), "model is a list, not a name"),
    "negative usage": (chat(usage={"prompt_tokens": -1}), "usage: prompt_tokens is not a number"),
    "usage in fractions": (chat(usage={"prompt_tokens": 1.5}), "usage: prompt_tokens"),
    "usage that is a text": (chat(usage="x"), "usage is a text, not an object"),
    "more cached than asked": (
        chat(usage={"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}}),
        "usage: 6 cached tokens of a prompt of 5",
    ),
    "text on the server": (
        {"input": "x", "previous_response_id": "r"},
        "previous_response_id stands for text that is only on the server",
    ),
    "an item on the server": (
        {"input": [{"type": "item_reference", "id": "m"}]},
        "input[0] stands for text that is only on the server",
    ),
    "an embedding": (
        {"url": "/v1/embeddings", "body": {"input": "x"}},
        "/embeddings has no prompt",
    ),
    "nested in itself": ({"body": {"body": {"body": {"body": chat()}}}}, "no messages"),
    "a trace": ({"hash_ids": [1], "input_length": 5}, "Mooncake trace"),
    "a recording": ({"type": "Recording", "version": 4}, "recording"),
}


@pytest.mark.parametrize(("line", "says"), BAD.values(), ids=BAD)
def test_a_bad_line_is_named_and_the_others_are_read(tmp_path, line, says):
    data = line if isinstance(line, bytes) else json.dumps(line).encode()
    good = json.dumps({"prompt": "x"}).encode()
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join([good, data, good]))
    skipped = []
    requests = list(read_log(path, skipped.append))
    assert [request.line for request in requests] == [1, 3]
    (said,) = skipped
    assert said.startswith("line 2: ") and says in said
    assert len(said) < 200 and said.isprintable() and "secret" not in said


@pytest.mark.parametrize("size", [lines.MAX_LINE_BYTES + 1, 10**7])
@pytest.mark.parametrize("begin", [b'{"prompt": "', b"\xff"], ids=["text", "not"])
def test_a_line_that_is_too_long_is_named_and_the_others_are_read(tmp_path, size, begin):
    good = json.dumps({"prompt": "x"}).encode()
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join([good, begin + b"y" * size, good, begin + b"y" * size]))
    skipped = []
    assert [request.line for request in read_log(path, skipped.append)] == [1, 3]
    assert skipped == [f"line {n}: longer than 8,388,608 bytes" for n in (2, 4)]


def test_the_longest_line_is_read(tmp_path):
    path = tmp_path / "log.jsonl"
    text = "y" * (lines.MAX_LINE_BYTES - len('{"prompt": ""}'))
    path.write_text(json.dumps({"prompt": text}) + "\n" + json.dumps({"prompt": "x"}))
    assert [len(request.text) for request in read_log(path)] == [len(text), 1]
