"""Reading a recording: a file that may be damaged, truncated or malicious.

The file is not trusted. Each line is checked alone (JSON, checksum, the types of its fields), then
its sequence number, then whether it fits the state before it (`fits.py`). Only then is it folded. A
line that fails raises a `RecordingError` that names the file and the line. Time and memory stay
proportional to the size of the file.

A process that crashes leaves a recording that was not closed, and perhaps half a line. Such a
recording is read up to there, and a `RecordingWarning` says where it ends.
"""

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixlab.cache import CacheError
from radixlab.config import MAX_BLOCK_SIZE, MAX_BLOCKS, none_or_more, positive, shown
from radixlab.events import Event
from radixlab.observe.codec import CompressedIds
from radixlab.observe.fields import is_count, wrong_field
from radixlab.observe.fits import (
    BLOCK,
    ENTRIES_PER_BYTE,
    FREE_ENTRIES,
    growth,
    is_namespace,
    state_entries,
)
from radixlab.observe.state import NodeState, SequenceState, State, copy_state, fold
from radixlab.observe.wire import (
    RecordingError,
    RecordingWarning,
    block_id_fields,
    check_seal,
    event_from_json,
)

READABLE = (2, 3, 4)
"""Versions that can be read: 2 has no checksums and no counts, 3 no sites."""
MAX_LINE_BYTES = 2**28
KINDS = ("copy", "write_back", "load_back")
_FAULTS = (LookupError, TypeError, ValueError, AttributeError, AssertionError, CacheError)


@dataclass(slots=True)
class Line:
    """A line of the file that is not blank."""

    where: str
    """`file:number`."""
    text: bytes
    is_whole: bool
    """Whether the line ends with a line break; the last line may not."""


def read_recording(path: str | Path) -> tuple[State, Iterator[Event]]:
    """Return the state at the start, and the events, which are read and checked lazily.

    Raises `RecordingError`; for a bad event, when that event is reached. Warns with
    `RecordingWarning` if the recording was not closed, or if its last line is truncated.
    """
    lines = _lines(Path(path))
    first = next(lines, Line(f"{path}:1", b"null", True))
    header = _load(first)
    if not isinstance(header, dict) or header.get("type") != "Recording":
        raise RecordingError(f"{first.where}: not a recording")
    version = header.get("version")
    if type(version) is not int or version not in READABLE:
        raise RecordingError(f"{first.where}: version {shown(version)}, this reads {READABLE[-1]}")
    num_events, next_seq = header.pop("num_events", None), header.get("next_seq")
    check_seal(header, first.where)
    if not all(number is None or is_count(number) for number in (num_events, next_seq)):
        raise RecordingError(f"{first.where}: num_events or next_seq is not a count")
    if extra := header.keys() - {"type", "version", "next_seq", "state"}:
        raise RecordingError(f"{first.where}: a header has no field {shown(sorted(extra)[0])}")
    room = FREE_ENTRIES + ENTRIES_PER_BYTE * len(first.text)
    try:
        state = _state(header["state"], room)
    except (*_FAULTS, RecursionError) as error:
        why = shown(str(error))[1:-1]
        raise RecordingError(f"{first.where}: the state does not fit: {why}") from None
    return state, _checked(copy_state(state), lines, room, next_seq, num_events, version)


def _lines(path: Path) -> Iterator[Line]:
    """Yield the lines; blank lines are ignored at the end of the file, and refused elsewhere."""
    blank = None
    with path.open("rb") as file:
        number = 0
        while text := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            where = f"{path}:{number}"
            if len(text) > MAX_LINE_BYTES:
                raise RecordingError(f"{where}: longer than {MAX_LINE_BYTES:,} bytes")
            if not text.strip():
                blank = blank or where
            elif blank:
                raise RecordingError(f"{blank}: this line is blank")
            else:
                yield Line(where, text, text.endswith(b"\n"))


def _load(line: Line) -> Any:
    """Return the object on a line; raise `RecordingError` if it is not JSON or repeats a key."""
    try:
        return json.loads(line.text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:  # ValueError: not JSON, or not UTF-8
        twice = f": {error}" if isinstance(error, _TwiceError) else ""
        raise RecordingError(f"{line.where}: this is not a JSON object{twice}") from None


class _TwiceError(ValueError):
    """A key occurs twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _TwiceError("a key is named twice")
    return made


def _checked(
    state: State,
    lines: Iterator[Line],
    room: int,
    next_seq: int | None,
    num_events: int | None,
    version: int,
) -> Iterator[Event]:
    """Yield events that can be folded in order, starting from `state`."""
    size, num_read, where = state_entries(state), 0, "the header"
    for line in lines:
        if not line.is_whole and b"}" not in line.text:
            warnings.warn(
                f"{line.where}: the last line is cut off; the {num_read} events before it are read",
                RecordingWarning,
                stacklevel=2,
            )
            return
        where, event = line.where, _event(line)
        if next_seq is not None and event.seq != next_seq and not _may_skip(event, next_seq):
            raise RecordingError(f"{where}: event {event.seq}, where {next_seq} should follow")
        next_seq, num_read = event.seq + 1, num_read + 1
        room += ENTRIES_PER_BYTE * len(line.text)
        try:
            size += growth(state, event)
            if size > room:
                raise ValueError(f"a state of {size:,} entries from so few lines")
            fold(state, event)
        except _FAULTS as error:
            name = type(event).__name__
            raise RecordingError(
                f"{where}: {name} does not fit what came before it: {error}"
            ) from None
        yield event
    if num_events is not None and num_read != num_events:
        raise RecordingError(f"{where}: the file ends after {num_read} of {num_events} events")
    if num_events is None and version > 2:
        said = f"{where}: the recording was not closed; it ends here, after {num_read} events"
        warnings.warn(said, RecordingWarning, stacklevel=2)


def _event(line: Line) -> Event:
    record = _load(line)
    if isinstance(record, dict) and record.get("type") == "Recording":
        raise RecordingError(f"{line.where}: a second header")
    if isinstance(record, dict):
        seal = record.pop("crc", None)
        event = event_from_json(record, line.where)
        if seal is not None:
            check_seal(record | {"crc": seal}, line.where)
        return event
    return event_from_json(record, line.where)


def _may_skip(event: Event, next_seq: int) -> bool:
    """Whether numbers may be missing here: the events of a call that failed are lost."""
    return type(event).__name__ == "CacheRestarted" and event.seq > next_seq


def _state(fields: dict[str, Any], room: int) -> State:
    """Build the state of a header, with at most `room` entries."""
    rest = {k: v for k, v in fields.items() if k not in ("nodes", "sequences", "transfers")}
    if (name := wrong_field(State, rest)) is not None:
        raise ValueError(f"{name} cannot be {shown(rest[name])}")
    positive("num_blocks", rest["num_blocks"], MAX_BLOCKS)
    positive("block_size", rest["block_size"], MAX_BLOCK_SIZE)
    none_or_more("num_host_blocks", rest.get("num_host_blocks", 0), MAX_BLOCKS)
    most = max(rest["num_blocks"], rest.get("num_host_blocks", 0))
    for part, name in block_id_fields(fields):
        ids = CompressedIds.from_text(part[name], most)
        room -= BLOCK * ids.num_ids
        if room < 0:
            raise ValueError(f"{name} stand for too many ids")
        part[name] = ids.decode().tolist()
    nodes = [_part(NodeState, node) for node in fields["nodes"]]
    sequences = [_part(SequenceState, sequence) for sequence in fields["sequences"]]
    state = State(
        **rest,
        nodes={node.id: node for node in nodes},
        sequences={sequence.id: sequence for sequence in sequences},
        transfers=[(src, dst, kind) for src, dst, kind in fields["transfers"]],
    )
    if len(state.nodes) < len(nodes) or len(state.sequences) < len(sequences):
        raise ValueError("two nodes or two sequences have one id")
    _check_links(state)
    return state


def _part(cls: Any, fields: dict[str, Any]) -> Any:
    namespace = fields["namespace"]
    namespace = tuple(namespace) if isinstance(namespace, list) else namespace
    part = fields | {"namespace": namespace}
    if unknown := part.keys() - set(cls.__slots__):
        raise ValueError(f"{cls.__name__} has no field {shown(sorted(unknown)[0])}")
    if not is_namespace(namespace):
        raise ValueError(f"namespace cannot be {shown(namespace)}")
    if (name := wrong_field(cls, part)) is not None:
        raise ValueError(f"{name} cannot be {shown(part[name])}")
    return cls(**part)


def _check_links(state: State) -> None:
    """Check that everything exists that nodes, sequences and transfers refer to."""
    known = set[int]()
    for node in state.nodes.values():  # parents come first, so no node is its own ancestor
        if node.parent_id is not None and node.parent_id not in known:
            raise ValueError(f"node {node.id} comes before its parent {node.parent_id}")
        known.add(node.id)
    for sequence in state.sequences.values():
        if sequence.node_id is not None and sequence.node_id not in known:
            raise ValueError(f"sequence {sequence.id} has locked no node {sequence.node_id}")
    for sequence in state.sequences.values():
        if any(not 0 <= block < state.num_blocks for block in sequence.block_table):
            raise ValueError(f"the table of sequence {sequence.id} has a block outside the pool")
    device, host = state.num_blocks, state.num_host_blocks
    ends = {"copy": (device, device), "write_back": (device, host), "load_back": (host, device)}
    for src, dst, kind in state.transfers:
        if not (is_count(src) and is_count(dst) and kind in KINDS):
            raise ValueError(f"{shown((src, dst, kind))} is not a transfer")
        if src >= ends[kind][0] or dst >= ends[kind][1]:
            raise ValueError(f"{shown((src, dst, kind))} is outside the pool")
