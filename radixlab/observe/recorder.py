"""Recordings: a run of the cache as JSON lines, replayed with no engine.

The first line is a header (version, and the state at the start), each further line an event. The
reader trusts nothing: a file that does not fit raises a `RecordingError` with its line number.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from radixlab.events import Emit, Event
from radixlab.observe.snapshot import Cache, attach, snapshot
from radixlab.observe.state import NodeState, SequenceState, State
from radixlab.observe.wire import RecordingError, event_from_json, event_to_json, state_to_json

VERSION = 1


class Recorder:
    """Write everything a cache emits from now on to a file; a context manager.

    With `tokens=False` token ids are left out (a recording of private prompts shows shapes only).
    """

    def __init__(self, cache: Cache, path: str | Path, tokens: bool = True) -> None:
        self._file: TextIO | None = open(path, "w", encoding="utf-8")  # noqa: SIM115  # closed by close()
        self._tokens = tokens
        self.num_events = 0
        state = state_to_json(snapshot(cache))
        if not tokens:
            for part in (*state["nodes"], *state["sequences"]):
                part["tokens"] = [0] * len(part["tokens"])
        self._write({"type": "Recording", "version": VERSION, "state": state})
        attach(cache, self.record)

    def record(self, event: Event) -> None:
        """Append one event; after `close` nothing is written."""
        if self._file is None:
            return
        fields = event_to_json(event)
        if not self._tokens and fields.get("token_ids"):
            fields["token_ids"] = [0] * len(fields["token_ids"])
        self._write(fields)
        self.num_events += 1

    def close(self) -> None:
        """Finish the file. Twice is once."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, record: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(record, separators=(",", ":")) + "\n")


def read_recording(path: str | Path) -> tuple[State, Iterator[Event]]:
    """Return the state at the start and the events, read as they are asked for."""
    lines = _json_lines(Path(path))
    _, header = next(lines, (0, None))
    if (
        not isinstance(header, dict)
        or header.get("type") != "Recording"
        or header.get("version") != VERSION
    ):
        raise RecordingError(f"{path}:1: not a recording of version {VERSION}")
    try:
        state = _state(header["state"])
    except (KeyError, TypeError) as error:
        raise RecordingError(f"{path}:1: the state does not fit: {error}") from None
    return state, (event_from_json(record, f"{path}:{number}") for number, record in lines)


def guarded(listener: Emit, on_error: Callable[[Exception], None]) -> Emit:
    """Isolate a listener that a user wrote.

    After its first exception, which `on_error` gets, it is not called again.
    """
    broken = False

    def emit(event: Event) -> None:
        nonlocal broken
        if broken:
            return
        try:
            listener(event)
        except Exception as error:
            broken = True
            on_error(error)

    return emit


def _json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8") as file:
        try:
            for number, line in enumerate(file, 1):
                yield number, json.loads(line)
        except ValueError as error:  # not JSON, or not UTF-8
            raise RecordingError(f"{path}: not a line of JSON: {error}") from None


def _state(fields: dict[str, Any]) -> State:
    nodes = [NodeState(**_tagged(node)) for node in fields["nodes"]]
    sequences = [SequenceState(**_tagged(sequence)) for sequence in fields["sequences"]]
    transfers = [(src, dst) for src, dst in fields["transfers"]]
    rest = {k: v for k, v in fields.items() if k not in ("nodes", "sequences", "transfers")}
    return State(
        **rest,
        nodes={n.id: n for n in nodes},
        sequences={s.id: s for s in sequences},
        transfers=transfers,
    )


def _tagged(fields: dict[str, Any]) -> dict[str, Any]:
    namespace = fields["namespace"]
    return fields | {"namespace": None if namespace is None else tuple(namespace)}
