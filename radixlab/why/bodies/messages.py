"""Messages and their blocks, as OpenAI's and Anthropic's chat bodies have them, written as text.

Every field of a message or block that a model may see is written, also a field that this file does
not know.
"""

from typing import Any

from radixlab.why.bodies.writing import Writer, objects
from radixlab.why.errors import BadLineError, kind, name
from radixlab.why.request import Path

MOST_ROLE = 64
"""Characters of a role; a longer one is not a role."""
OF_MESSAGE = frozenset(("role", "content", "name", "tool_call_id", "tool_calls", "cache_control"))
TEXT_BLOCKS = {
    "text": "text", "input_text": "text", "output_text": "text", "summary_text": "text",
    "reasoning_text": "text", "refusal": "refusal", "thinking": "thinking",
}  # fmt: skip
"""Types of blocks that hold a text, and the field with it."""


def write_messages(writer: Writer, messages: Any, path: Path = ("messages",)) -> None:
    """Write all messages, and where the answer begins."""
    turns = objects(path, messages)
    if not turns:
        raise BadLineError(f"{name(path)} is empty")
    for index, message in enumerate(turns):
        write_message(writer, message, (*path, index))
    open_answer(writer, turns[-1])


def open_answer(writer: Writer, last: dict[str, Any]) -> None:
    """Write where the answer begins, unless the last message is a beginning of the answer."""
    if last.get("role") != "assistant" or last.get("tool_calls"):
        writer.open(("answer",), "assistant")


def write_message(writer: Writer, message: dict[str, Any], path: Path) -> None:
    """Write one message."""
    role = message.get("role")
    if type(role) is not str or not 0 < len(role) <= MOST_ROLE:
        raise BadLineError(f"{name((*path, 'role'))} is {kind(role)}, not a role")
    content = message.get("content")
    if len(message) == 2 and type(content) is str:  # most are like this
        writer.open(path, role)
        writer.text((*path, "content"), content)
        return
    writer.open(path, role, *texts(message, "name", "tool_call_id"))
    write_content(writer, content, (*path, "content"))
    for index, call in enumerate(objects((*path, "tool_calls"), message.get("tool_calls"))):
        _write_call(writer, call, (*path, "tool_calls", index))
    write_others(writer, message, path, OF_MESSAGE)
    writer.mark(message)


def write_content(writer: Writer, content: Any, path: Path) -> None:
    """Write a content: a text, a list of blocks, or null."""
    if type(content) is str:
        writer.text(path, content)
    elif content is not None:
        for index, block in enumerate(objects(path, content)):
            _write_block(writer, block, (*path, index), is_first=index == 0)


def write_others(writer: Writer, holder: dict[str, Any], path: Path, known: frozenset[str]) -> None:
    """Write the fields of an object that have no form of their own, each under its name."""
    for field, value in holder.items():
        if field not in known and value is not None and value != []:
            writer.open((*path, field), field)
            writer.value((*path, field), value)


def _write_call(writer: Writer, call: dict[str, Any], path: Path) -> None:
    """Write a call of a function: its id and name, then its arguments as they stand."""
    function = call.get("function")
    if type(function) is not dict:
        writer.open(path, "tool_call")
        writer.value(path, call)
        return
    writer.open(path, "tool_call", *texts(call, "id"), *texts(function, "name"))
    writer.value((*path, "function", "arguments"), function.get("arguments", ""))


def _write_block(writer: Writer, block: dict[str, Any], path: Path, is_first: bool) -> None:
    """Write one block of a content."""
    what = block.get("type", "text" if "text" in block else None)
    field = TEXT_BLOCKS.get(what) if type(what) is str else None
    if field is not None:
        if what == "thinking" or not is_first:
            writer.open(path, what) if what == "thinking" else writer.parts.append((path, "\n"))
        writer.text((*path, field), block.get(field))
        if len(block) > 2 or "type" not in block:
            write_others(writer, block, path, frozenset(("type", field, "cache_control")))
    elif what == "tool_use":
        writer.open(path, "tool_use", *texts(block, "id", "name"))
        writer.value((*path, "input"), block.get("input"))
        write_others(writer, block, path, _OF_TOOL_USE)
    elif what == "tool_result":
        writer.open(path, "tool_result", *texts(block, "tool_use_id"))
        write_content(writer, block.get("content"), (*path, "content"))
        write_others(writer, block, path, _OF_TOOL_RESULT)
    elif what == "document" and _is_text(block.get("source")):
        writer.open(path, "document")
        write_others(writer, block, path, _OF_DOCUMENT)
        writer.text((*path, "source", "data"), block["source"]["data"])
    elif type(what) is str:
        writer.open(path, what[:MOST_ROLE])
        writer.value(path, block)
    else:
        raise BadLineError(f"{name((*path, 'type'))} is {kind(what)}, not the type of a block")
    writer.mark(block)


_OF_TOOL_USE = frozenset(("type", "id", "name", "input", "cache_control"))
_OF_TOOL_RESULT = frozenset(("type", "tool_use_id", "content", "cache_control"))
_OF_DOCUMENT = frozenset(("type", "source", "cache_control"))


def _is_text(source: Any) -> bool:
    return type(source) is dict and source.get("type") == "text" and type(source.get("data")) is str


def texts(block: dict[str, Any], *fields: str) -> list[str]:
    """Return those of some fields that are texts."""
    return [value for field in fields if type(value := block.get(field)) is str]
