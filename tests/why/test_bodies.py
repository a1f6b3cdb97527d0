"""What is made of bodies: everything that a model sees is in the text, in the provider's order."""

import copy
import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.why.errors import BadLineError
from radixlab.why.lines import Line
from radixlab.why.reading import read_line
from radixlab.why.request import Usage
from tests.why.bodies import chat_bodies, line_of, openai_bodies, request_of

HELLO = [{"role": "user", "content": "Hello"}]


def leaves(value, path=()):
    """All texts, numbers and keys of a body that a model sees."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in ("cache_control", "type"):
                yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    elif value is not None and value != "":
        yield path, value


def said_of(value):
    """How a leaf may be written: as it is, or in JSON."""
    as_json = json.dumps(value, ensure_ascii=False)
    return (value, as_json[1:-1]) if isinstance(value, str) else (as_json,)


@given(chat_bodies)
def test_nothing_that_a_model_sees_is_left_out(body):
    text = request_of(body).text
    shown = {key: body[key] for key in ("tools", "system", "messages", "response_format")
             if key in body}  # fmt: skip
    for path, value in leaves(shown):
        assert any(said in text for said in said_of(value)), path


@given(chat_bodies, st.data())
def test_a_body_with_more_messages_has_the_earlier_prompt_as_its_prefix(body, data):
    messages = body["messages"]
    keep = data.draw(st.integers(1, len(messages)))
    before = request_of(body | {"messages": messages[:keep]})
    text = "".join(text for path, text in before.parts if path != ("answer",))
    assert request_of(body).text.startswith(text)


@given(chat_bodies)
def test_parts_say_where_in_the_body_they_come_from(body):
    for path, text in request_of(body).parts:
        value = body
        for step in path if path != ("answer",) else ():
            value = value[step]
        if isinstance(value, str) and not text.endswith("|>\n"):
            assert text == value


@given(chat_bodies, st.sampled_from([None, 1]), st.sampled_from([(",", ":"), (" , ", " : ")]))
def test_white_space_between_the_values_of_a_body_changes_nothing(body, indent, separators):
    line = json.dumps(body, indent=indent, separators=separators).replace("\n", " ")
    (request,) = read_line(Line(1, 0, line.encode()))
    assert request == request_of(body)
    assert request == request_of(body, ensure_ascii=False)


@given(openai_bodies)
def test_the_order_of_keys_counts_in_tools_and_not_in_the_body(body):
    backwards = dict(reversed(body.items()))
    assert replace(request_of(backwards), scope=()) == replace(request_of(body), scope=())
    tools = [dict(reversed(tool.items())) for tool in body.get("tools", [])]
    if tools:
        assert request_of(body | {"tools": tools}).text != request_of(body).text


@given(chat_bodies)
def test_a_breakpoint_stands_behind_what_asks_for_it(body):
    request = request_of(body)
    num_asked = json.dumps(body, sort_keys=True).count('"cache_control": {"type": "ephemeral"}')
    if request.form == "anthropic":
        assert len(request.breakpoints) == num_asked
    assert list(request.breakpoints) == sorted(request.breakpoints)
    plain = json.loads(json.dumps(body).replace(', "cache_control": {"type": "ephemeral"}', ""))
    assert request_of(plain).text == request.text


JUNK = [None, True, 7, -1, 1.5, "", "text", "<|user|>", [], [[]], [7], ["x"], {}, {"type": []}]
BASES = [
    {"messages": HELLO, "system": [{"type": "text", "text": "x"}], "tools": [{"name": "f"}]},
    {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "x"}]},
            {"role": "user", "name": "ida", "content": [{"type": "image", "source": {"data": ""}}]},
            {"role": "assistant", "tool_calls": [{"id": "c", "function": {"arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "7"},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "response_format": {"type": "json_schema"},
    },
    {
        "model": "claude",
        "messages": [
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "content": [{"text": "x"}]}]},
            {"role": "user", "content": [{"type": "document", "source": {"type": "text"}}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}]},
        ],
        "cache_control": {"type": "ephemeral"},
    },
    {
        "input": [
            {"role": "user", "content": "x"},
            {"type": "function_call", "call_id": "c", "arguments": "{}"},
            {"type": "function_call_output", "output": "7"},
        ],
        "instructions": "x",
        "text": {"format": {"type": "text"}},
    },
    {"prompt": ["x", "y"], "suffix": "z"},
    {"token_ids": [1, 2], "usage": {"prompt_tokens_details": {"cached_tokens": 1}}},
    {"request": {"body": {"prompt": "x"}}, "response": {"body": {"usage": {"input_tokens": 1}}}},
    {"prompt": "x", "timestamp": 1, "session": {"id": "s"}, "metadata": {"session_id": "x"}},
]


def spoiled(value, rng):
    """A copy of a body with junk somewhere, or something missing."""
    paths = [[]]
    for path in paths:
        inner = value
        for step in path:
            inner = inner[step]
        if isinstance(inner, dict | list):
            keys = inner if isinstance(inner, dict) else range(len(inner))
            paths += [[*path, key] for key in keys]
    value = copy.deepcopy(value)
    *way, last = rng.choice(paths[1:])
    inner = value
    for step in way:
        inner = inner[step]
    if rng.random() < 0.2:
        del inner[last]
    else:
        inner[last] = rng.choice(JUNK)
    return value


@pytest.mark.parametrize("number", range(len(BASES)))
def test_any_object_gives_requests_or_one_line_that_says_why_not(number):
    rng = random.Random(number)
    for _ in range(400):
        fields = spoiled(BASES[number] | {"model": "x", "session": "s"}, rng)
        if rng.random() < 0.5:
            fields = spoiled(fields, rng)
        try:
            requests = read_line(line_of(fields))
        except BadLineError as error:
            assert len(str(error).splitlines()) == 1 and len(str(error)) < 200
        else:
            assert requests
            assert all(r.text if r.token_ids is None else len(r.token_ids) for r in requests)


def test_the_same_text_as_a_text_or_as_one_block_is_the_same_prompt():
    block = [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
    assert request_of({"messages": block}).text == request_of({"messages": HELLO}).text


def test_providers_put_tools_first_and_the_answer_last():
    tool = {"name": "f", "input_schema": {}}
    body = {"messages": HELLO, "system": "S", "tools": [tool], "tool_choice": {"type": "any"}}
    assert request_of(body).text == (
        '<|tools|>\n{"name": "f", "input_schema": {}}\n<|system|>\nS\n<|tool_choice|>\n'
        '{"type": "any"}\n<|user|>\nHello\n<|assistant|>\n'
    )
    said = [*HELLO, {"role": "assistant", "content": "He"}]
    assert request_of({"messages": said}).text.endswith("<|assistant|>\nHe")


FORMS = {
    "openai chat": {"messages": HELLO},
    "system role": {"messages": [{"role": "system", "content": "x"}], "model": "claude-3"},
    "claude": {"messages": HELLO, "model": "claude-3"},
    "system field": {"messages": HELLO, "system": "x"},
    "input_schema": {"messages": HELLO, "tools": [{"name": "x", "input_schema": {}}]},
    "block": {"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
    "url of messages": {"url": "https://x/v1/messages?beta=true", "body": {"messages": HELLO}},
    "url of chats": {"url": "/chat/completions", "body": {"messages": HELLO, "model": "claude-3"}},
    "responses": {"input": "Hello"},
    "completion": {"prompt": "Hello", "model": "x"},
    "prompt": {"prompt": "Hello"},
    "ids": {"prompt": [1, 2]},
    "token_ids": {"token_ids": [1, 2]},
    "tgi": {"inputs": "Hello", "parameters": {}},
    "sglang": {"input_ids": [1, 2], "sampling_params": {}},
}
EXPECTED = [
    *("openai chat", "openai chat", "anthropic", "anthropic", "anthropic", "anthropic"),
    *("anthropic", "openai chat", "openai responses", "openai completion", "prompt"),
    *("token_ids", "token_ids", "prompt", "token_ids"),
]


@pytest.mark.parametrize(
    ("fields", "form"), list(zip(FORMS.values(), EXPECTED, strict=True)), ids=FORMS
)
def test_the_form_of_a_body_is_recognised(fields, form):
    assert request_of(fields).form == form


NESTED = [
    lambda body: {"body": body},
    lambda body: {"request": body},
    lambda body: {"json": body},
    lambda body: {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": body},
    lambda body: {"request": {"method": "POST", "body": body}},
    lambda body: {"request": json.dumps(body)},
    lambda body: {"id": 7, "request": {"json": body, "headers": {}}},
    lambda body: {"data": {"request_body": body}},
    lambda body: {"id": "run", "inputs": body, "outputs": {}},
    lambda body: {"name": "generation", "input": body, "output": "text"},
    lambda body: {"call_type": "acompletion", "kwargs": body},
]


@pytest.mark.parametrize("nest", NESTED)
@pytest.mark.parametrize("form", ["openai chat", "claude", "prompt", "token_ids", "responses"])
def test_a_body_is_found_where_logs_put_it(nest, form):
    body = FORMS[form]
    found = request_of(nest(body))
    assert (found.text, found.scope) == (request_of(body).text, request_of(body).scope)


TIMES = [
    (1767225600, 1767225600.0),
    (1767225600.25, 1767225600.25),
    (1767225600250, 1767225600.25),
    (1767225600250000, 1767225600.25),
    (1767225600250000000, 1767225600.25),
    (0, 0.0),
    (-5, -5.0),
    ("1767225600.5", 1767225600.5),
    ("2026-01-01T00:00:00Z", 1767225600.0),
    ("2026-01-01 00:00:00", 1767225600.0),
    ("2026-01-01T01:00:00+01:00", 1767225600.0),
    ("2026-01-01T00:00:00.250Z", 1767225600.25),
    ("2026-01-01", 1767225600.0),
]


@pytest.mark.parametrize(("given", "seconds"), TIMES)
@pytest.mark.parametrize("name", ["timestamp", "created_at", "ts"])
def test_a_time_may_be_a_number_or_a_text(given, seconds, name):
    assert request_of({"prompt": "x", name: given}).timestamp == seconds
    assert request_of({name: given, "body": {"prompt": "x"}}).timestamp == seconds


SESSIONS = [
    {"session": "a"},
    {"session_id": "a"},
    {"conversation_id": "a"},
    {"metadata": {"session_id": "a"}},
    {"session": {"id": "a"}},
]


@pytest.mark.parametrize("fields", SESSIONS, ids=str)
def test_the_session_is_found(fields):
    assert request_of({"messages": HELLO} | fields).session == "a"


USAGES = {
    "openai": ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}, (9, 4)),
    "responses": ({"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}}, (9, 4)),
    "anthropic": (
        {"input_tokens": 2, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 3},
        (9, 4),
    ),
    "anthropic, nothing read": ({"input_tokens": 2, "cache_creation_input_tokens": 7}, (9, 0)),
    "vllm without details": ({"prompt_tokens": 9, "prompt_tokens_details": None}, (9, None)),
    "deepseek": ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4}, (9, 4)),
    "sglang": ({"prompt_tokens": 9, "cached_tokens": 4}, (9, 4)),
}


@pytest.mark.parametrize(("usage", "numbers"), USAGES.values(), ids=USAGES)
@pytest.mark.parametrize(
    "put",
    [
        lambda body, usage: body | {"usage": usage},
        lambda body, usage: {"body": body, "usage": usage},
        lambda body, usage: {"request": body, "response": {"usage": usage}},
        lambda body, usage: {"body": body, "response": {"status": 200, "body": {"usage": usage}}},
    ],
)
def test_reported_tokens_are_read_in_every_shape(usage, numbers, put):
    assert request_of(put({"prompt": "x"}, usage)).usage == Usage(*numbers)


def test_usage_of_several_prompts_counts_once():
    usage = {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}
    first, second = read_line(line_of({"prompt": ["x", "y"], "usage": usage}))
    assert (first.usage, second.usage) == (Usage(9, 4), None)


SCOPES = ["model", "cache_salt", "adapter", "lora_path", "reasoning_effort"]


@pytest.mark.parametrize("field", SCOPES)
def test_what_no_prefix_is_shared_across_is_in_the_scope(field):
    one, other = (request_of({"messages": HELLO, field: value}) for value in "ab")
    assert one.scope == ((field, "a"),) and one.scope != other.scope and one.text == other.text


@pytest.mark.parametrize("field", ["temperature", "max_tokens", "user", "stream", "seed"])
def test_other_parameters_change_nothing(field):
    assert request_of({"messages": HELLO, field: 1}) == request_of({"messages": HELLO})


def test_token_ids_are_kept_as_they_are():
    request = request_of({"token_ids": [0, 7, 2**31 - 1]})
    assert request.token_ids.dtype == np.int32
    assert request.token_ids.tolist() == [0, 7, 2**31 - 1] and request.parts == ()


def picture(data):
    url = f"data:image/png;base64,{data}"
    content = [{"type": "image_url", "image_url": {"url": url}}]
    return request_of({"messages": [{"role": "user", "content": content}]}).text


def test_a_picture_stands_by_its_digest():
    one, other = picture("A" * 99_999), picture("A" * 99_998 + "B")
    assert one != other and len(one) == len(other) < 300 and one == picture("A" * 99_999)


MEDIA = {
    "audio": {"type": "input_audio", "input_audio": {"data": "QUJD" * 999, "format": "wav"}},
    "file": {"type": "file", "file": {"file_data": "QUJD" * 999, "filename": "a.pdf"}},
    "file by id": {"type": "file", "file": {"file_id": "file-1"}},
    "image": {"type": "image", "source": {"type": "base64", "data": "QUJD" * 999}},
    "pdf": {"type": "document", "source": {"type": "base64", "data": "QUJD" * 999}},
    "unknown": {"type": "hologram", "angle": 7},
}


@pytest.mark.parametrize("block", MEDIA.values(), ids=MEDIA)
def test_what_is_not_text_stands_by_reference(block):
    message = {"role": "user", "content": [{"type": "text", "text": "See"}, block]}
    text = request_of({"messages": [message]}).text
    assert f"<|{block['type']}|>" in text and len(text) < 300
    assert text != request_of({"messages": [{"role": "user", "content": "See"}]}).text
