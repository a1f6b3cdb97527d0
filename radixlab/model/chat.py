"""Conversations become prompts: a model's chat template, rendered as transformers renders it.

A template is code by the model's authors, so it runs in a sandbox, on plain copies of the caller's
values. This file knows no tokens and no files.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Many
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from radixlab.model.errors import ChatTemplateError

Message = Mapping[str, Any]
"""One turn of a conversation: its `role` ("system", "user", "assistant") and its `content`."""
REASONING = ("reasoning_content", "thinking", "reasoning")
"""Names under which servers pass a model's reasoning; templates read the first or the second."""


class ChatText(str):
    """A prompt that a chat template has written, special tokens included.

    `Tokenizer.encode` adds no special tokens to it. Text may be appended as the beginning of the
    answer: the result is a `ChatText` too. No text may be put before it. Every other operation of
    `str` returns plain text, to which the tokenizer adds its own special tokens; if that would
    repeat the first special token, `encode` refuses the text.
    """

    __slots__ = ()

    def __add__(self, other: str) -> "ChatText":
        return ChatText(str.__add__(self, other))

    def __radd__(self, other: str) -> "ChatText":
        if not other:
            return self
        raise ChatTemplateError(
            f"text, {other[:20]!r}, before a prompt that begins with its own special tokens: put "
            "it into a message"
        )


def render(
    template: str,
    messages: Many[Message],
    variables: Mapping[str, Any],
    today: date | None = None,
) -> ChatText:
    """Render a conversation by a template; raise `ChatTemplateError` if that fails.

    `variables` are the other names that the template may read. `today` is the date of its clock.
    """
    for name in ("tools", "documents"):
        for each in variables.get(name) or ():
            if not isinstance(each, Mapping):  # transformers reads a function's docstring instead
                raise ChatTemplateError(f"{name} must be mappings, not {each!r:.60}")
    try:
        known = {name: _plain(value) for name, value in variables.items()}
        said = _messages(messages)
    except RecursionError:
        raise ChatTemplateError("a message or a variable contains itself") from None
    try:
        compiled = _compiled(template)
        written = compiled.render(**known, messages=said, strftime_now=_clock(today))
    except Exception as error:  # a template may raise anything
        why = " ".join(str(error).split()) or type(error).__name__
        raise ChatTemplateError(f"the chat template: {why}") from error
    return ChatText(written)


def _messages(messages: Many[Message]) -> list[dict[str, Any]]:
    """Copy messages without absent parts; give reasoning both names that templates read."""
    if isinstance(messages, str | Mapping) or not isinstance(messages, Iterable):
        raise ChatTemplateError(f"a conversation is a list of messages, not {messages!r:.60}")
    plain = [_plain(message) for message in messages]
    if not plain:
        raise ChatTemplateError("a conversation needs at least one message")
    turns = []
    for message in plain:
        if not isinstance(message, dict):
            raise ChatTemplateError(f"a message must be a mapping, not {message!r:.60}")
        turn = _without_none(message)
        thought = next((turn[name] for name in REASONING if name in turn), None)
        if thought is not None:
            turn = {"thinking": thought, **turn, "reasoning_content": thought}
        turns.append(turn)
    return turns


def _without_none(message: dict[str, Any]) -> dict[str, Any]:
    """Leave out absent parts: many templates write "None" for them."""
    return {name: value for name, value in message.items() if value is not None}


def _plain(value: Any) -> Any:
    """Copy a value into JSON's types; anything else becomes a mark such as `<lock>`.

    Other objects have methods, and the sandbox cannot know what those methods do.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    for kind in (str, int, float):  # an enum, a ChatText, a NumPy float
        if isinstance(value, kind):
            return kind.__str__(value) if kind is str else kind(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        copied = [_plain(item) for item in value]
        return tuple(copied) if isinstance(value, tuple) else copied
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, bytes | bytearray | set | frozenset):
        raise ChatTemplateError(f"a message cannot hold {value!r:.60}: JSON has no such type")
    if callable(dump := getattr(value, "model_dump", None)):  # pydantic, as the OpenAI client has
        return _plain(dump())
    if callable(item := getattr(value, "item", None)) and getattr(value, "shape", None) == ():
        return _plain(item())  # a NumPy scalar
    return f"<{type(value).__name__}>"


def _clock(today: date | None) -> Callable[[str], str]:
    """Return `strftime_now` for templates: the current time, or midnight of the given day."""

    def strftime_now(format: str) -> str:
        if today is None:
            return datetime.now().strftime(format)
        now = today if isinstance(today, datetime) else datetime.combine(today, time())
        return now.strftime(format)

    return strftime_now


# ---- the environment that templates are written for


class GenerationTag(Extension):
    """`{% generation %} … {% endgeneration %}`: marks text for training; renders it as is."""

    tags = {"generation"}  # noqa: RUF012  jinja's own interface

    def parse(self, parser: Parser) -> nodes.Node:
        """Render the content as if the tag were not there, in its own scope."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_inside")
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _inside(self, caller: Callable[[], str]) -> str:
        return caller()


class SafeNamespace(Namespace):
    """Jinja's `namespace`, whose names cannot reach into Python."""

    def __init__(*args: Any, **names: Any) -> None:  # `self` may be one of the names
        self, *given = args
        values = dict(*given, **names)
        for name in values:
            _refuse_underscore(name)
        Namespace.__init__(self, values)

    def __setitem__(self, name: str, value: Any) -> None:
        _refuse_underscore(name)
        Namespace.__setitem__(self, name, value)


class SafeDict:
    """Python's `dict` as templates call it, without the attributes of the class."""

    def __call__(self, *args: Any, **names: Any) -> dict[Any, Any]:
        """Make a dict."""
        return dict(*args, **names)

    def fromkeys(self, keys: Any, value: Any = None) -> dict[Any, Any]:
        """Make a dict with one value under each key."""
        return dict.fromkeys(keys, value)


def _refuse_underscore(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise jinja2.exceptions.SecurityError(f"a namespace cannot have a name like {name!r}")


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Write JSON as transformers does: jinja's own filter would escape HTML."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


@lru_cache(maxsize=64)
def _compiled(template: str) -> jinja2.Template:
    sandbox = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, loopcontrols]
    )
    sandbox.filters["tojson"] = _to_json
    sandbox.globals |= {
        "raise_exception": _raise_exception,
        "namespace": SafeNamespace,
        "dict": SafeDict(),
    }
    return sandbox.from_string(template)
