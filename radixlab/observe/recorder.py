"""Recordings: a run of the cache as JSON lines, replayed with no engine.

The first line is a header (version, and the state at the start), each further line an event. Block
ids are compressed in both: in an event they are runs already, in the header `CompressedIds`. The
reader trusts nothing: a file that does not fit raises a `RecordingError` with its line number.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from radixlab.cache import CompressedIds
from radixlab.config import positive
from radixlab.events import Event, TreeResynced
from radixlab.observe.snapshot import Cache, attach, snapshot
from radixlab.observe.state import NodeState, SequenceState, State, copy_state, fold
from radixlab.observe.wire import RecordingError, event_from_json, event_to_json, state_to_json

VERSION = 2


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
        for part, name in _block_ids(state):
            part[name] = CompressedIds.encode(np.array(part[name], np.int32)).to_text()
        self._write({"type": "Recording", "version": VERSION, "state": state})
        self._detach = attach(cache, self.record)

    def record(self, event: Event) -> None:
        """Append one event; after `close` nothing is written."""
        if self._file is None:
            return
        fields = event_to_json(event)
        if not self._tokens:
            _hide_tokens(fields)
        self._write(fields)
        self.num_events += 1

    def close(self) -> None:
        """Finish the file. Twice is once."""
        if self._file is not None:
            self._detach()
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
    """Return the state at the start and the events, read and checked as they are asked for."""
    lines = _json_lines(Path(path))
    where, header = next(lines, (f"{path}:1", None))
    if not isinstance(header, dict) or header.get("type") != "Recording":
        raise RecordingError(f"{where}: not a recording")
    if header.get("version") != VERSION:
        raise RecordingError(f"{where}: version {header.get('version')!r}, this reads {VERSION}")
    try:
        state = _state(header["state"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise RecordingError(f"{where}: the state does not fit: {error}") from None
    return state, _checked(copy_state(state), lines)


def _json_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield each line's place, `file:number`, and what it holds."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            where = f"{path}:{number}"
            try:
                yield where, json.loads(line)
            except (ValueError, RecursionError):  # ValueError: not JSON, or not UTF-8
                raise RecordingError(f"{where}: this is no JSON object") from None


def _checked(state: State, lines: Iterator[tuple[str, Any]]) -> Iterator[Event]:
    """Yield events that can be folded, one after the other, from `state` on."""
    for where, record in lines:
        event = event_from_json(record, where)
        try:
            fold(state, event)
        except (LookupError, TypeError, ValueError, AttributeError, AssertionError):
            name = type(event).__name__
            raise RecordingError(f"{where}: {name} does not fit what came before it") from None
        yield event


def _hide_tokens(fields: dict[str, Any]) -> None:
    if fields.get("token_ids"):
        fields["token_ids"] = [0] * len(fields["token_ids"])
    if fields["type"] == TreeResynced.__name__:  # its rows hold tokens in fourth place
        fields["nodes"] = [(*row[:3], [0] * len(row[3]), *row[4:]) for row in fields["nodes"]]


def _block_ids(state: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each part of a state that names blocks, and the field in which it does."""
    yield from ((node, "block_ids") for node in state["nodes"])
    yield from ((sequence, "block_table") for sequence in state["sequences"])


def _state(fields: dict[str, Any]) -> State:
    for part, name in _block_ids(fields):
        part[name] = CompressedIds.from_text(part[name]).decode().tolist()
    nodes = [NodeState(**_tagged(node)) for node in fields["nodes"]]
    sequences = [SequenceState(**_tagged(sequence)) for sequence in fields["sequences"]]
    transfers = [(src, dst, kind) for src, dst, kind in fields["transfers"]]
    rest = {k: v for k, v in fields.items() if k not in ("nodes", "sequences", "transfers")}
    positive("num_blocks", rest["num_blocks"])
    positive("block_size", rest["block_size"])
    if rest.get("num_host_blocks"):
        positive("num_host_blocks", rest["num_host_blocks"])
    state = State(
        **rest,
        nodes={node.id: node for node in nodes},
        sequences={sequence.id: sequence for sequence in sequences},
        transfers=transfers,
    )
    for place, node in enumerate(nodes):  # parents come first, so no node is its own ancestor
        if node.parent_id is not None and node.parent_id not in {n.id for n in nodes[:place]}:
            raise ValueError(f"node {node.id} comes before its parent {node.parent_id}")
    return state


def _tagged(fields: dict[str, Any]) -> dict[str, Any]:
    namespace = fields["namespace"]
    return fields | {"namespace": None if namespace is None else tuple(namespace)}
