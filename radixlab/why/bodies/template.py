"""Conversations as a model's own server renders them: by the chat template of a tokenizer folder.

A template returns one text, which does not say which field each piece comes from. So this file
looks for the texts of the body in it, in their order. What lies between these texts is markup.
"""

import json
from datetime import UTC, datetime
from typing import Any

from radixlab.why.bodies.writing import Writer, by_reference
from radixlab.why.errors import BadLineError, WhyError
from radixlab.why.request import Part, Path

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""What a template's clock says where a line has no timestamp."""
SMALLEST = 3
"""Characters of a text below which it is not looked for: it could be found anywhere."""


class ChatTemplate:
    """The chat template of a tokenizer folder."""

    def __init__(self, tokenizer: Any) -> None:
        if tokenizer.chat_template is None:
            raise WhyError("the tokenizer folder has no chat template")
        self._tokenizer = tokenizer

    def write(self, body: dict[str, Any], form: str, time: float | None, plain: Writer) -> Writer:
        """Render a conversation; `plain` is the same in our serialisation, which names its texts.

        The breakpoints stay behind the same texts.
        """
        from radixlab.model.errors import ChatTemplateError

        extra = body.get("chat_template_kwargs")
        variables = extra if type(extra) is dict else {}
        today = FIRST_DAY if time is None else datetime.fromtimestamp(time, UTC)
        try:
            written = self._tokenizer.chat(
                _turns(body, form),
                tools=_tools(body, form) or None,
                today=today.replace(tzinfo=None),
                **{k: v for k, v in variables.items() if k not in ("tools", "today", "messages")},
            )
        except (ChatTemplateError, OverflowError, TypeError) as error:
            why = " ".join(str(error).split())[:120]
            raise BadLineError(f"the chat template cannot render it: {why}") from None
        return _located(str(written), plain)


def _turns(body: dict[str, Any], form: str) -> list[dict[str, Any]]:
    """Return the messages as a template reads them: contents are texts, arguments are objects."""
    turns = [_turn(message) for message in body["messages"]]
    if form == "anthropic" and body.get("system"):
        turns.insert(0, {"role": "system", "content": _content(body["system"])})
    return turns


def _turn(message: dict[str, Any]) -> dict[str, Any]:
    turn = {**message, "content": _content(message.get("content"))}
    if turn.get("role") == "developer":
        turn["role"] = "system"
    calls = [*(message.get("tool_calls") or ()), *_calls_in(message.get("content"))]
    if calls:
        turn["tool_calls"] = [_call(call) for call in calls]
    return turn


def _content(content: Any) -> Any:
    """Return a content as one text; what is not text stands in it by reference."""
    if type(content) is not list:
        return content
    writer, texts = Writer(), list[str]()
    for block in content:
        if block.get("type", "text") in ("text", "input_text") and type(block.get("text")) is str:
            texts.append(block["text"])
        elif block.get("type") == "tool_result":
            texts.append(_content(block.get("content")) or "")
        elif block.get("type") != "tool_use":
            writer.json((), by_reference(block))
            texts.append(writer.parts.pop()[1])
    return "\n".join(texts)


def _calls_in(content: Any) -> list[dict[str, Any]]:
    """Return Anthropic's calls in OpenAI's form, which templates know."""
    if type(content) is not list:
        return []
    return [
        {
            "id": block.get("id"),
            "type": "function",
            "function": {"name": block.get("name"), "arguments": block.get("input")},
        }
        for block in content
        if block.get("type") == "tool_use"
    ]


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """Return a call whose arguments are an object, as templates want them, if they are JSON."""
    function = call.get("function")
    if type(function) is not dict or type(function.get("arguments")) is not str:
        return call
    try:
        return {**call, "function": {**function, "arguments": json.loads(function["arguments"])}}
    except ValueError:
        return call


def _tools(body: dict[str, Any], form: str) -> list[dict[str, Any]]:
    tools = [by_reference(tool) for tool in body.get("tools") or ()]
    if form != "anthropic":
        return tools
    return [
        {
            "type": "function",
            "function": {
                "name": tool.get("name"),
                "description": tool.get("description"),
                "parameters": tool.get("input_schema"),
            },
        }
        for tool in tools
    ]


def _located(text: str, plain: Writer) -> Writer:
    """Divide a rendered text into parts, by the parts of the same body in our serialisation."""
    claims, cursors = list[tuple[int, int, Path]](), dict[str | int, int]()
    for path, said in plain.parts:
        if len(said) < SMALLEST or (said.endswith("|>\n") and said.lstrip("\n").startswith("<|")):
            continue
        group = "messages" if path[0] in ("messages", "system") else path[0]
        start, length = _find(text, said, cursors.get(group, 0))
        if start >= 0:
            claims.append((start, start + length, path))
            cursors[group] = start + length
    parts, end = list[Part](), 0
    for start, stop, path in sorted(claims):
        if start < end:
            continue
        if start > end:
            parts.append((path[: 2 if len(path) > 1 else 1], text[end:start]))
        parts.append((path, text[start:stop]))
        end = stop
    if end < len(text):
        parts.append((("answer",), text[end:]))
    writer = Writer()
    writer.parts = parts
    places = {path: number for number, (path, _) in enumerate(parts, 1)}
    marked = (places.get(plain.parts[number - 1][0]) for number in plain.breakpoints if number)
    writer.breakpoints = [number for number in marked if number is not None]
    return writer


def _find(text: str, said: str, cursor: int) -> tuple[int, int]:
    """Return where a text stands from a position on, and its length there; -1 if it does not."""
    start = text.find(said, cursor)
    if start < 0 and said.startswith(("{", "[")):  # many templates indent the JSON of a tool
        try:
            said = json.dumps(json.loads(said), ensure_ascii=False, indent=4)
        except ValueError:
            return -1, 0
        start = text.find(said, cursor)
    elif start < 0:
        said = said.strip()  # and many strip the texts of messages
        start = text.find(said, cursor) if said else -1
    return start, len(said)
