"""Turns bodies of requests, in the forms that clients send and logs keep, into prompts.

    envelope ─► which kind of body? ─► its parts ─► Request

`radixlab why` reads OpenAI's chats, completions and responses, Anthropic's messages, plain prompts
and token ids. It refuses any other body, with a reason.
"""

from typing import Any

from radixlab.why.bodies.anthropic import is_anthropic, write_anthropic
from radixlab.why.bodies.envelope import session_of, timestamp_of, unpack, url_of, usage_of
from radixlab.why.bodies.openai import write_chat, write_responses
from radixlab.why.bodies.plain import MAX_PROMPTS, plain_field, read_plain
from radixlab.why.bodies.template import ChatTemplate
from radixlab.why.bodies.writing import Writer
from radixlab.why.errors import BadLineError, kind
from radixlab.why.request import Request

__all__ = ["MAX_PROMPTS", "read_body"]

SCOPE_FIELDS = (
    "model", "cache_salt", "adapter", "adapter_id", "lora", "lora_name", "lora_path",
    "reasoning_effort", "reasoning", "chat_template", "chat_template_kwargs",
)  # fmt: skip
"""Parameters that change what a server puts before a prompt, or whose cache a request may use."""
WITHOUT_PROMPT = ("/embeddings", "/moderations", "/images/generations", "/audio/speech", "/rerank")


def read_body(
    fields: dict[str, Any], line: int, offset: int, template: ChatTemplate | None
) -> list[Request]:
    """Return the requests of a line's object, mostly one; raise `BadLineError`."""
    levels = unpack(fields)
    body, url = levels[-1], url_of(levels)
    for ending in WITHOUT_PROMPT:
        if url.endswith(ending):
            raise BadLineError(f"a request to {ending} has no prompt that a prefix cache keeps")
    about: dict[str, Any] = {
        "scope": _scope(levels),
        "timestamp": timestamp_of(levels),
        "session": session_of(levels),
        "usage": usage_of(levels),
    }
    if body.get("messages") is None and (field := plain_field(body)) is not None:
        return _plain(body, field, line, offset, about)
    writer = Writer()
    if "messages" not in body:
        form = "openai responses"
        write_responses(writer, body)
    elif is_anthropic(body, url):
        form = "anthropic"
        write_anthropic(writer, body)
    else:
        form = "openai chat"
        write_chat(writer, body)
    if template is not None and form != "openai responses":
        writer = template.write(body, form, about["timestamp"], writer)
    parts, breakpoints = tuple(writer.parts), tuple(writer.breakpoints)
    return [Request(line, offset, form, parts=parts, breakpoints=breakpoints, **about)]


def _plain(
    body: dict[str, Any], field: str, line: int, offset: int, about: dict[str, Any]
) -> list[Request]:
    """Return the requests of a body whose prompt needs no rendering."""
    if type(body.get("system")) is str and body["system"]:
        raise BadLineError(f"{field} with a system prompt: a server's template joins them")
    requests = []
    for number, (path, prompt) in enumerate(read_plain(body[field], (field,))):
        if number:
            about["usage"] = None  # it is of all prompts together: the first has it
        where = (line, offset + number)
        if type(prompt) is not str:
            requests.append(Request(*where, "token_ids", token_ids=prompt, **about))
            continue
        form = "openai completion" if field == "prompt" and "model" in body else "prompt"
        parts = [(path, prompt)]
        if body.get("suffix"):
            if type(body["suffix"]) is not str:
                raise BadLineError(f"suffix is {kind(body['suffix'])}, not a text")
            parts.append((("suffix",), body["suffix"]))
        requests.append(Request(*where, form, parts=tuple(parts), **about))
    return requests


def _scope(levels: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return what requests must have in common to share a prefix, where it is said."""
    pairs = []
    for field in SCOPE_FIELDS:
        for level in reversed(levels):
            if (value := level.get(field)) is not None:
                pairs.append((field, value if type(value) is str else _written(field, value)))
                break
    return tuple(pairs)


def _written(field: str, value: Any) -> str:
    if field == "model":
        raise BadLineError(f"model is {kind(value)}, not a name")
    writer = Writer()
    writer.json((field,), value)
    return writer.parts[0][1]
