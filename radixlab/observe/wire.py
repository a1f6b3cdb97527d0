"""Events and states as JSON: the form in which they are recorded and sent to a browser.

An event is `{"type": "NodeSplit", "seq": 3, "step": 0, ...}`. A reader treats a recording as
untrusted: what does not fit raises a `RecordingError` that names the line and the field.
"""

from dataclasses import asdict, fields
from typing import Any

from radixlab.events import EVENT_TYPES, Event
from radixlab.observe.state import State


class RecordingError(ValueError):
    """A recording that cannot be read; the message names the line and what is wrong with it."""


def event_to_json(event: Event) -> dict[str, Any]:
    """Return the event as a JSON-ready dict, its type under `"type"`."""
    return {"type": type(event).__name__} | {f: getattr(event, f) for f in event.__slots__}


def event_from_json(record: Any, where: str = "event") -> Event:
    """Rebuild an event from `event_to_json`'s dict.

    Raises a `RecordingError` that starts with `where` if it does not fit.
    """
    if not isinstance(record, dict):
        raise RecordingError(f"{where}: an event is a JSON object, not {type(record).__name__}")
    cls = EVENT_TYPES.get(str(record.get("type")))
    if cls is None:
        raise RecordingError(f"{where}: unknown event type {record.get('type')!r}")
    given = {name: _freeze(value) for name, value in record.items() if name != "type"}
    known = {f.name for f in fields(cls)}
    if extra := given.keys() - known:
        raise RecordingError(f"{where}: {cls.__name__} has no field {sorted(extra)[0]!r}")
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


def _freeze(value: Any) -> Any:
    return tuple(_freeze(item) for item in value) if isinstance(value, list) else value
