"""The fields around a body: when it was sent, by which session, and what the server answered.

A log may have one body a line with a few fields of its own, or put the body under a name such as
`body` or `request`, as batch files and gateways do.
"""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from radixlab.why.bodies.plain import plain_field
from radixlab.why.bodies.usage import read_usage
from radixlab.why.errors import BadLineError, kind
from radixlab.why.request import Usage

INSIDE = (
    "body", "request", "json", "request_body", "payload", "params", "data", "input", "inputs",
    "kwargs",
)  # fmt: skip
"""Names under which the body may stand, one inside another."""
ANSWERS = ("response", "response_body", "answer", "body", "meta_info")
"""Names under which a line may hold the answer, which has the usage."""
MOST_DEPTH = 4
SESSION_FIELDS = ("session", "session_id", "conversation_id", "thread_id")
TIME_FIELDS = ("timestamp", "created_at", "start_time", "ts", "time")
"""The first is checked; the others may mean something else, and count only where they fit."""
URL_FIELDS = ("url", "path", "endpoint")
UNITS = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
"""A number from the first on is in that part of a second: in ns, µs or ms since 1970."""

Fields = dict[str, Any]


def unpack(fields: Fields) -> list[Fields]:
    """Return the objects from the line down to the body, which is the last."""
    levels = [fields]
    while not _is_body(levels[-1]):
        inner = next(_inner(levels[-1]), None)
        if inner is None or len(levels) == MOST_DEPTH:
            raise BadLineError(_what_is_missing(levels[-1]))
        levels.append(inner)
    return levels


def url_of(levels: list[Fields]) -> str:
    """Return the path that the request was sent to, or an empty text."""
    for value in _values(levels, URL_FIELDS):
        if type(value) is str:
            return value.partition("?")[0].rstrip("/")
    return ""


def timestamp_of(levels: list[Fields]) -> float | None:
    """Return the time in seconds; None where the line does not say it."""
    for field in TIME_FIELDS:
        for level in levels:
            if (value := level.get(field)) is not None:
                seconds = _seconds(value)
                if seconds is not None:
                    return seconds
                if field == "timestamp":
                    raise BadLineError(f"timestamp is {kind(value)} that is not a time")
    return None


def session_of(levels: list[Fields]) -> str | None:
    """Return the name of the session; None where the line does not say it."""
    metadata = levels[-1].get("metadata")
    holders = [*levels, metadata] if type(metadata) is dict else levels
    for value in _values(holders, SESSION_FIELDS):
        if type(value) in (str, int):
            return str(value)
        if type(value) is dict and type(value.get("id")) is str:
            return str(value["id"])
        raise BadLineError(f"session is {kind(value)}, not a name")
    return None


def usage_of(levels: list[Fields]) -> Usage | None:
    """Return what the server reported."""
    for level in levels:
        if level.get("usage") is not None:
            return read_usage(level["usage"])
    answer: Any = levels[0]
    for _ in range(MOST_DEPTH):
        answer = next((a for f in ANSWERS if type(a := answer.get(f)) is dict), None)
        if answer is None or answer is levels[-1]:
            break
        if "usage" in answer:
            return read_usage(answer["usage"])
        if "cached_tokens" in answer:
            return read_usage(answer)
    return read_usage(levels[0]) if "cached_tokens" in levels[0] else None


def _is_body(fields: Fields) -> bool:
    """Whether an object has a prompt itself."""
    if "messages" in fields or plain_field(fields) is not None:
        return True
    return "input" in fields and type(fields["input"]) in (str, list)


def _inner(fields: Fields) -> Iterator[Fields]:
    """Yield the objects inside that may be the body; some gateways write them as JSON text."""
    for field in INSIDE:
        value = fields.get(field)
        if type(value) is str and value.lstrip().startswith("{"):
            try:
                value = json.loads(value)
            except ValueError:
                raise BadLineError(f"{field} is a text that is not JSON") from None
        if type(value) is dict:
            yield value


def _what_is_missing(fields: Fields) -> str:
    if "prompt_embeds" in fields:
        return "prompt_embeds are not text: a prompt of embeddings cannot be compared"
    if "hash_ids" in fields:
        return "a line of a Mooncake trace, which `radixlab replay` reads"
    if fields.get("type") == "Recording" or "seq" in fields:
        return "a line of a recording, which `radixlab replay --html` shows"
    return "no messages, prompt, input or token_ids"


def _values(levels: list[Fields], fields: tuple[str, ...]) -> Iterator[Any]:
    for field in fields:
        for level in levels:
            if level.get(field) is not None:
                yield level[field]


def _seconds(value: Any) -> float | None:
    """Return a time in seconds, from a number or a text; None if it is not a time."""
    if type(value) is str:
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            return _number(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return _number(value) if type(value) in (int, float) else None


def _number(value: Any) -> float | None:
    try:
        seconds = float(value) if type(value) is str else value
        unit = next((unit for least, unit in UNITS if abs(seconds) >= least), 1)
        seconds = seconds / unit  # exact for an int of nanoseconds
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None
