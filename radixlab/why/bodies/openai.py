"""OpenAI's bodies as text: chats, completions and responses.

OpenAI puts the tools and the schema of a structured output before the messages, and so does this
file.
"""

from typing import Any

from radixlab.why.bodies.messages import (
    open_answer,
    texts,
    write_content,
    write_message,
    write_messages,
    write_others,
)
from radixlab.why.bodies.writing import Writer, objects
from radixlab.why.errors import BadLineError, kind, name
from radixlab.why.request import Path

ON_THE_SERVER = ("previous_response_id", "conversation", "prompt")
"""Fields of a responses body that stand for texts which only the server has."""
OF_ITEM = frozenset(("type", "id", "status", "call_id", "name", "arguments", "output"))


def write_chat(writer: Writer, body: dict[str, Any]) -> None:
    """Write the body of `/v1/chat/completions`."""
    write_tools(writer, body, "tools")
    write_tools(writer, body, "functions")
    _write_format(writer, body.get("response_format"), ("response_format",))
    write_tools(writer, body, "documents")
    write_messages(writer, body.get("messages"))


def write_responses(writer: Writer, body: dict[str, Any]) -> None:
    """Write the body of `/v1/responses`, if it holds the whole conversation."""
    for field in ON_THE_SERVER:
        if body.get(field) is not None:
            raise BadLineError(f"{field} stands for text that is only on the server")
    write_tools(writer, body, "tools")
    form = body.get("text")
    _write_format(writer, form.get("format") if type(form) is dict else None, ("text", "format"))
    if body.get("instructions") is not None:
        writer.open(("instructions",), "system")
        write_content(writer, body["instructions"], ("instructions",))
    asked = body.get("input")
    if type(asked) is str:
        writer.open(("input",), "user")
        writer.text(("input",), asked)
        asked = [{}]
    else:
        for index, item in enumerate(objects(("input",), asked)):
            _write_item(writer, item, ("input", index))
    if not asked:
        raise BadLineError("input is empty")
    open_answer(writer, asked[-1])


def write_tools(writer: Writer, body: dict[str, Any], field: str) -> None:
    """Write the tools of a body, one a line."""
    tools = objects((field,), body.get(field))
    if tools:
        writer.open((field,), field)
    for index, tool in enumerate(tools):
        if index:
            writer.parts.append(((field, index), "\n"))
        if "cache_control" in tool:
            writer.json((field, index), {k: v for k, v in tool.items() if k != "cache_control"})
            writer.mark(tool)
        else:
            writer.json((field, index), tool)


def _write_format(writer: Writer, form: Any, path: Path) -> None:
    """Write the form of the answer, unless it is plain text."""
    if form is None or form == {"type": "text"}:
        return
    if type(form) is not dict:
        raise BadLineError(f"{name(path)} is {kind(form)}, not an object")
    writer.open(path, "response_format")
    writer.json(path, form)


def _write_item(writer: Writer, item: dict[str, Any], path: Path) -> None:
    """Write an item of a responses body: a message, a call, its output, or anything else."""
    what = item.get("type", "message")
    if what == "message":
        write_message(writer, {k: v for k, v in item.items() if k not in _OF_STORED}, path)
    elif what == "function_call":
        writer.open(path, "tool_call", *texts(item, "call_id", "name"))
        writer.value((*path, "arguments"), item.get("arguments", ""))
        write_others(writer, item, path, OF_ITEM)
    elif what == "function_call_output":
        writer.open(path, "tool", *texts(item, "call_id"))
        write_content(writer, item.get("output"), (*path, "output"))
        write_others(writer, item, path, OF_ITEM)
    elif what == "item_reference" or type(what) is not str:
        raise BadLineError(f"{name(path)} stands for text that is only on the server")
    else:
        writer.open(path, what[:64])
        writer.value(path, item)


_OF_STORED = frozenset(("type", "id", "status"))
"""Fields of a message that say how it is stored, and nothing to a model."""
