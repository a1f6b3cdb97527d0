"""Consumers of events: state, recordings, and `watch` for trees that emit no events."""

from radixlab.observe.codec import CompressedIds
from radixlab.observe.reading import read_recording
from radixlab.observe.recorder import Recorder
from radixlab.observe.snapshot import attach, guarded, snapshot
from radixlab.observe.state import NodeState, SequenceState, State, copy_state, fold, fold_all
from radixlab.observe.watch import WatchedTree, watch
from radixlab.observe.wire import (
    RecordingError,
    RecordingWarning,
    event_from_json,
    event_to_json,
    state_to_json,
)

__all__ = [
    "CompressedIds",
    "NodeState",
    "Recorder",
    "RecordingError",
    "RecordingWarning",
    "SequenceState",
    "State",
    "WatchedTree",
    "attach",
    "copy_state",
    "event_from_json",
    "event_to_json",
    "fold",
    "fold_all",
    "guarded",
    "read_recording",
    "snapshot",
    "state_to_json",
    "watch",
]
