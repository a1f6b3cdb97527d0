"""A character of a prompt as words: they lead back to that character in the body."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.why.places import locate, place_of, role_of
from tests.why.bodies import chat_bodies, request_of, values
from tests.why.test_bodies import HELLO


def step_into(body, path):
    for step in path:
        body = body[step]
    return body


@given(chat_bodies, st.data())
def test_a_place_leads_to_its_character(body, data):
    """Where a place has text before it, the body's value there begins with that text."""
    request = request_of(body)
    character = data.draw(st.integers(0, len(request.text) - 1))
    place = locate(request, character)
    if place.path == ("answer",):
        return
    value = step_into(body, place.path)
    if place.text is not None:
        value = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        assert value.startswith(place.text)
        rest = value[len(place.text) :]
        left = request.text[character:]
        assert not rest or left[0] in (rest[0], "\\") or place.text == value[: len(place.text)]


@given(st.dictionaries(st.text(max_size=4), values, min_size=1, max_size=4))
def test_every_value_in_json_is_found_by_its_path(schema):
    body = {"messages": HELLO, "tools": [schema]}
    request = request_of(body)
    start = request.text.index("{")
    text = json.dumps(schema, ensure_ascii=False)
    assert request.text[start:].startswith(text)
    seen = set()
    for character in range(start, start + len(text)):
        place = locate(request, character)
        step_into(body, place.path)  # each path exists
        seen.add(place.path)
    assert all(path in seen for path in paths_of(schema, ("tools", 0)) if path[2:])


def paths_of(value, path):
    yield path
    keys = value if isinstance(value, dict) else range(len(value) if type(value) is list else 0)
    for key in keys:
        yield from paths_of(value[key], (*path, key))


SYSTEM = "You are\nthe desk.\nIt is 12:00."
OPENAI = {
    "messages": [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": "first\nsecond"},
        {"role": "assistant", "tool_calls": [
            {"id": "c", "function": {"name": "f", "arguments": '{"a":\n {"b": "deep"}}'}}]},
        {"role": "tool", "tool_call_id": "c", "content": '{"like": "JSON"}'},
        {"role": "user", "content": [{"type": "text", "text": "one"},
                                     {"type": "text", "text": "two"}]},
    ],
    "tools": [
        {"type": "function", "function": {"name": "f", "description": "First.\nLast.",
                                          "parameters": {"required": ["x", "y"]}}}],
}  # fmt: skip
PLACES = {
    "12:00": "system (messages[0].content), line 3, character 7",
    "You are": "system (messages[0].content), line 1, character 1",
    "\nthe desk": "system (messages[0].content), line 1, character 8",
    "second": "messages[1].content, line 2, character 1",
    "deep": "messages[2].tool_calls[0].function.arguments.a.b, line 1, character 1",
    '{"a"': "messages[2].tool_calls[0].function.arguments",
    "<|tool_call c": "messages[2].tool_calls[0]",
    "JSON": "messages[3].content, line 1, character 11",
    "one": "messages[4].content[0].text, line 1, character 1",
    "two": "messages[4].content[1].text, line 1, character 1",
    "Last.": "tools[0].function.description, line 2, character 1",
    '"parameters"': "tools[0].function.parameters",
    '"y"': "tools[0].function.parameters.required[1], line 1, character 1",
    "<|user|>": "messages[1], role",
    "<|tools|>": "tools",
}


@pytest.mark.parametrize(("text", "words"), PLACES.items())
def test_a_place_in_words(text, words):
    request = request_of(OPENAI)
    assert place_of(request, request.text.index(text)) == words


ANTHROPIC = {
    "system": SYSTEM,
    "messages": [{"role": "user", "content": [{"type": "tool_result", "content": "seven"}]}],
    "tools": [{"name": "f", "input_schema": {"properties": {"a": {"description": "Ha."}}}}],
    "tool_choice": {"type": "any"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}
OF_ANTHROPIC = {
    "12:00": "system, line 3, character 7",
    "seven": "messages[0].content[0].content, line 1, character 1",
    "Ha.": "tools[0].input_schema.properties.a.description, line 1, character 1",
    "any": "tool_choice.type, line 1, character 1",
    "1024": "thinking.budget_tokens",
}


@pytest.mark.parametrize(("text", "words"), OF_ANTHROPIC.items())
def test_a_place_in_anthropics_body(text, words):
    request = request_of(ANTHROPIC)
    assert place_of(request, request.text.index(text)) == words


def test_other_forms_have_places_too():
    prompt = request_of({"prompt": "a\nbc", "model": "m"})
    assert place_of(prompt, 3) == "prompt, line 2, character 2"
    assert place_of(prompt, 4) == "the end of the prompt"
    assert place_of(request_of({"prompt": ["xy"], "model": "m"}), 1).startswith("prompt[0], line 1")
    assert place_of(request_of({"token_ids": [5, 6]}), 1) == "position 1"
    responses = request_of({"input": "hello", "instructions": "be"})
    assert place_of(responses, responses.text.index("be")) == "instructions, line 1, character 1"
    assert place_of(responses, responses.text.index("ll")) == "input, line 1, character 3"


def test_roles_are_those_of_the_messages():
    request = request_of(OPENAI)
    roles = [role_of(request, ("messages", index, "content")) for index in range(5)]
    assert roles == ["system", "user", "assistant", "tool", "user"]
    assert role_of(request_of(ANTHROPIC), ("system",)) == "system"
    assert role_of(request, ("tools", 0)) is None


HOSTILE_KEYS = ["a\nb", "\x1b[31m", "", "x" * 5000, "‮evil", "\u2028", "]<script>", "é t", "\t"]


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=ascii)
def test_words_are_one_short_printable_line_whatever_the_keys(key):
    body = OPENAI | {"tools": [{"type": "function", key: {key: {key: "value"}}}]}
    body["messages"] = [*body["messages"], {"role": "user", "content": "x", key or "k": "field"}]
    request = request_of(body)
    for character in range(0, len(request.text), max(3, len(request.text) // 300)):
        words = place_of(request, character)
        assert words.isprintable() and 0 < len(words) < 250


@pytest.mark.parametrize("names", [True, False])
def test_without_names_a_place_shows_no_key_of_the_prompt(names):
    secret = {"SECRET": {"SECRET key": ["SECRET"]}}
    call = {"id": "SECRET", "function": {"name": "SECRET", "arguments": json.dumps(secret)}}
    body = {
        "tools": [secret, {"function": secret}],
        "response_format": {"type": "json_schema", "json_schema": secret},
        "messages": [
            *OPENAI["messages"],
            {"role": "assistant", "tool_calls": [call], "SECRET": "x"},
            {"role": "SECRET", "content": [{"type": "SECRET", "SECRET": secret}]},
        ],
    }
    request = request_of(body)
    places = {place_of(request, character, names) for character in range(len(request.text))}
    assert any("SECRET" in place for place in places) == names
    assert {"tools[1]", "messages[5].tool_calls[0].function.arguments"} <= places or names
    assert "system (messages[0].content), line 3, character 7" in places
