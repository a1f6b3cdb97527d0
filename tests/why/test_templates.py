"""Conversations by a model's chat template: the template's text, in parts that name the body."""

import json

import pytest

from radixlab.why.errors import WhyError
from radixlab.why.places import place_of
from tests.why.bodies import line_of

pytest.importorskip("tokenizers", reason="tokenizers is not installed: `model` brings it")
from radixlab.model.tiny import TINY
from radixlab.why.reading import read_line
from radixlab.why.tokenizers import open_tokenizer

CHATML = (
    "{% if tools %}<|im_start|>tools\n{% for tool in tools %}{{ tool | tojson@INDENT }}\n"
    "{% endfor %}<|im_end|>\n{% endif %}{% for message in messages %}<|im_start|>"
    "{{ message.role }}\n"
    "{{ message.content@TRIM }}{% if message.tool_calls %}{% for call in message.tool_calls %}"
    "<call>{{ call.function.arguments | tojson }}</call>{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STAMPED = "Today is {{ strftime_now('%d %B %Y') }}.\n"


def chatml(indent="", trim=""):
    return CHATML.replace("@INDENT", indent).replace("@TRIM", trim)


TEMPLATES = {
    "plain": chatml(),
    "indented": chatml(indent="(indent=4)"),
    "trimmed": chatml(trim=" | trim"),
    "stamped": STAMPED + chatml(),
}


def folder(tmp_path, template):
    """A copy of the tiny model's tokenizer with this template."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        text = (TINY / name).read_text("utf-8")
        if name == "tokenizer_config.json":
            fields = json.loads(text)
            fields.pop("chat_template")
            text = json.dumps(fields | ({"chat_template": template} if template else {}))
        (tmp_path / name).write_text(text, "utf-8")
    return open_tokenizer(tmp_path)


TOOL = {"name": "count", "description": "Count the pallets."}
OPENAI = {
    "messages": [
        {"role": "developer", "content": "You are the desk.\nBe brief. "},
        {"role": "user", "content": [{"type": "text", "text": "How many pallets?"}]},
        {"role": "assistant", "content": "I look.", "tool_calls": [
            {"id": "c", "type": "function",
             "function": {"name": "count", "arguments": '{"depot": "Halden"}'}}]},
        {"role": "tool", "tool_call_id": "c", "content": "forty-one"},
        {"role": "user", "content": "Thanks a lot."},
    ],
    "tools": [{"type": "function", "function": TOOL}],
}  # fmt: skip
ANTHROPIC = {
    "system": "You are the desk.\nBe brief. ",
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "How many pallets?",
                                      "cache_control": {"type": "ephemeral"}}]},
        {"role": "assistant", "content": [
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "c", "name": "count", "input": {"depot": "Halden"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "c", "content": "forty-one"}]},
        {"role": "user", "content": "Thanks a lot."},
    ],
    "tools": [TOOL | {"input_schema": {"type": "object"}}],
}  # fmt: skip


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
@pytest.mark.parametrize("body", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
def test_texts_are_found_in_what_the_template_wrote(tmp_path, template, body):
    tokenizer = folder(tmp_path, template)
    (request,) = read_line(line_of(body), tokenizer.template)
    text = request.text
    assert text.endswith("<|im_start|>assistant\n") and "Halden" in text
    for said in ("the desk", "How many", "I look", "forty-one", "Thanks"):
        place = place_of(request, text.index(said))
        assert "content" in place or place.startswith("system, line 1")
        assert ", line 1, character " in place
    assert place_of(request, text.index("Be brief")).endswith("line 2, character 1")
    assert place_of(request, text.index("forty")).startswith(
        "messages[3].content" if body is OPENAI else "messages[2].content[0].content"
    )
    if body is OPENAI:
        words = "tools[0].function.description, line 1, character 1"
        assert place_of(request, text.index("Count the")) == words
    else:
        (end,) = request.breakpoints
        assert "".join(t for _, t in request.parts[:end]).endswith("How many pallets?")


def test_a_prompt_grows_at_its_end(tmp_path):
    tokenizer = folder(tmp_path, TEMPLATES["plain"])
    (whole,) = read_line(line_of(OPENAI), tokenizer.template)
    for count in (2, 4):
        few = OPENAI | {"messages": OPENAI["messages"][:count]}
        (request,) = read_line(line_of(few), tokenizer.template)
        assert whole.text.startswith(request.text.removesuffix("<|im_start|>assistant\n"))


def test_the_clock_of_a_template_is_the_requests_time(tmp_path):
    tokenizer = folder(tmp_path, TEMPLATES["stamped"])
    times = {"2026-03-02T09:00:00Z": "02 March 2026", None: "01 January 2026"}
    for time, said in times.items():
        (request,) = read_line(line_of(OPENAI | {"timestamp": time}), tokenizer.template)
        assert request.text.startswith(f"Today is {said}.")


def test_a_template_that_refuses_is_named(tmp_path):
    from radixlab.why.errors import BadLineError

    tokenizer = folder(tmp_path, "{{ raise_exception('roles must alternate') }}")
    with pytest.raises(BadLineError, match=r"chat template .* roles must alternate"):
        read_line(line_of(OPENAI), tokenizer.template)


def test_a_folder_without_a_template_keeps_our_text(tmp_path):
    tokenizer = folder(tmp_path, None)
    assert tokenizer.template is None and len(tokenizer.encode("where is the depot?"))
    with pytest.raises(WhyError, match="folder"):
        open_tokenizer(tmp_path / "none")
