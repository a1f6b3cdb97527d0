"""Events and states as JSON: the form in which they are recorded and sent to a browser.

An event is `{"type": "NodeSplit", "seq": 3, "step": 0, ...}`. A reader treats a recording as
untrusted: what does not fit raises a `RecordingError` that names the line and the field. A line of
a file is *sealed*: it carries a checksum of all its other fields.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from radixlab.config import shown
from radixlab.events import EVENT_TYPES, Event, field_names
from radixlab.observe.fields import wrong_field
from radixlab.observe.state import State

MAX_DEPTH = 6
"""Lists in lists of an event; no field has as many."""


class RecordingError(ValueError):
    """A recording that cannot be read; the message names the line and what is wrong with it."""


class RecordingWarning(UserWarning):
    """A recording that can be read, but ends before its run did."""


def event_to_json(event: Event) -> dict[str, Any]:
    """Return the event as a JSON-ready dict, its type under `"type"`."""
    names = field_names(type(event))
    return {"type": type(event).__name__} | {name: getattr(event, name) for name in names}


def event_from_json(record: Any, where: str = "event") -> Event:
    """Rebuild an event from `event_to_json`'s dict.

    Raises a `RecordingError` that starts with `where` if it does not fit.
    """
    if not isinstance(record, dict):
        raise RecordingError(f"{where}: an event is a JSON object, not {type(record).__name__}")
    cls = EVENT_TYPES.get(str(record.get("type")))
    if cls is None:
        raise RecordingError(f"{where}: unknown event type {shown(record.get('type'))}")
    given = {name: _freeze(value) for name, value in record.items() if name != "type"}
    if extra := given.keys() - set(field_names(cls)):
        raise RecordingError(f"{where}: {cls.__name__} has no field {shown(sorted(extra)[0])}")
    if (name := wrong_field(cls, given)) is not None:
        value = shown(record[name])
        raise RecordingError(f"{where}: {name} of {cls.__name__} cannot be {value}")
    try:
        return cls(**given)
    except TypeError as error:
        raise RecordingError(f"{where}: {error}") from None


def state_to_json(state: State) -> dict[str, Any]:
    """Return a state as a JSON-ready dict; nodes and sequences become lists, parents first."""
    record = asdict(state)
    record["nodes"] = list(record["nodes"].values())
    record["sequences"] = list(record["sequences"].values())
    return record


def block_id_fields(state: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each part of a state that names blocks, and the field in which it does."""
    yield from ((node, "block_ids") for node in state["nodes"])
    yield from ((sequence, "block_table") for sequence in state["sequences"])


def sealed(record: dict[str, Any]) -> str:
    """Return a record as JSON, with a checksum of its fields, in their order, under `"crc"`.

    >>> sealed({"type": "Test"})
    '{"type":"Test","crc":2896300246}'
    """
    text = _compact(record)
    return f'{text[:-1]},"crc":{zlib.crc32(text.encode())}}}'


def check_seal(record: dict[str, Any], where: str) -> None:
    """Take the checksum off a record; raise `RecordingError` if the checksum does not match."""
    if "crc" in record and record.pop("crc") != zlib.crc32(_compact(record).encode()):
        raise RecordingError(f"{where}: the checksum is not that of this line: it was changed")


def _compact(record: dict[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"))


def _freeze(value: Any, depth: int = 0) -> Any:
    if not isinstance(value, list) or depth == MAX_DEPTH:
        return value
    return tuple(_freeze(item, depth + 1) for item in value)
