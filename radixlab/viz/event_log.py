"""The log behind a live view: a keyframe, the events after it, and the texts of the tokens in them.

This file knows JSON and sizes. It does not know widgets. An event is sent as `[type, *values]`; the
field names of each type are sent once.
"""

import json
from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from radixlab import events as ev
from radixlab.events import EVENT_TYPES, Event, SequenceForked, TreeResynced
from radixlab.observe.state import State, copy_state, fold_all
from radixlab.observe.wire import state_to_json
from radixlab.viz.text import Decode

FIELDS = {name: [f.name for f in fields(cls)] for name, cls in EVENT_TYPES.items()}
"""Field names per event type, in the order of a row's values."""

_VALUES = {cls: attrgetter(*FIELDS[name]) for name, cls in EVENT_TYPES.items()}

_CALL_BEGINS = (ev.SequenceStarted, SequenceForked, ev.TransfersCompleted, ev.OutOfBlocks)
_CALL_BEGINS += (ev.CacheRestarted, ev.AllBlocksCleared, TreeResynced)
"""Each of these begins a call of the cache (js/calls.js)."""


class EventLog:
    """Events `start`, `start + 1`, … after a keyframe, which absorbs the oldest of a long log.

    A lesson's log stays whole. Only one of more than `max_bytes` loses its oldest events, and the
    view says how many.
    """

    def __init__(
        self, keyframe: State, decode: Decode | None = None, max_bytes: int = 4_000_000
    ) -> None:
        self.start = 0
        self.events: list[Event] = []
        self._keyframe = copy_state(keyframe)
        self._cells: dict[int, int] = {}  # number of a notebook cell → its first event
        self._old_forks: dict[int, int] = {}  # of the sequences that run in the keyframe
        self._decode = decode
        self._max_bytes = max_bytes
        self._sizes: list[int] = []  # bytes of each row that has been sent
        self._vocab: dict[str, str] | None = {} if decode else None
        self.learn(t for n in keyframe.nodes.values() for t in n.tokens)
        self.learn(t for s in keyframe.sequences.values() for t in s.tokens)

    @property
    def end(self) -> int:
        """The number of the next event."""
        return self.start + len(self.events)

    @property
    def num_bytes(self) -> int:
        """The size of the sent part of the log as JSON, in bytes."""
        return sum(self._sizes)

    def begin_cell(self, number: int) -> None:
        """Say which notebook cell the next event comes from; its number never goes down."""
        self._cells.setdefault(number, self.end)

    def state(self) -> State:
        """Fold all events into the keyframe's state."""
        return fold_all(copy_state(self._keyframe), self.events)

    def forks(self) -> dict[int, int]:
        """Map sequences to the sequences that they were forked from, if the log knows them."""
        return self._old_forks | _forks_in(self.events)

    def rows(self, first: int) -> tuple[list[list[Any]], dict[str, str]]:
        """Return the events from number `first` on as rows, and the new token texts."""
        new: dict[str, str] = {}
        rows = []
        for k in range(first - self.start, len(self.events)):
            event = self.events[k]
            rows.append([type(event).__name__, *_VALUES[type(event)](event)])
            new |= self.learn(_tokens_of(event))
            if k >= len(self._sizes):
                self._sizes.append(len(json.dumps(rows[-1])))
        return rows, new

    def learn(self, tokens: Iterable[int]) -> dict[str, str]:
        """Decode the tokens not seen before; return their texts by id, with strings as keys."""
        new: dict[str, str] = {}
        if self._vocab is None or self._decode is None:
            return new
        for token in tokens:
            key = str(token)
            if key not in self._vocab:
                self._vocab[key] = new[key] = _text_of(token, self._decode)
        return new

    def to_json(self) -> dict[str, Any]:
        """Return the whole log, for a new browser page; shorten it first if it is too long."""
        rows, _ = self.rows(self.start)
        if self.num_bytes > self._max_bytes:
            rows = self._forget(rows)
        keyframe = state_to_json(self._keyframe)
        return {
            "keyframe": keyframe,
            "from": self.start,
            "forks": list(self._old_forks.items()),
            "cells": list(self._cells.items()),
            "events": rows,
            "vocab": self._vocab,
            "fields": FIELDS,
        }

    def _forget(self, rows: list[list[Any]]) -> list[list[Any]]:
        keep, size = len(rows), 0
        while size + self._sizes[keep - 1] <= self._max_bytes // 2:
            keep -= 1
            size += self._sizes[keep]
        keep = self._next_call(keep)
        running = fold_all(self._keyframe, self.events[:keep]).sequences
        forks = self._old_forks | _forks_in(self.events[:keep])
        self._old_forks = {child: parent for child, parent in forks.items() if child in running}
        self.start += keep
        del self.events[:keep], self._sizes[:keep]
        return rows[keep:]

    def _next_call(self, first: int) -> int:
        """Return where the next call begins, from here on: half a call would lose its marks."""
        later = range(first, len(self.events))
        return next((k for k in later if isinstance(self.events[k], _CALL_BEGINS)), first)


def _forks_in(events: list[Event]) -> dict[int, int]:
    return {e.sequence_id: e.parent_id for e in events if isinstance(e, SequenceForked)}


def _tokens_of(event: Event) -> Iterable[int]:
    if isinstance(event, TreeResynced):
        return (token for row in event.nodes for token in row[3])
    return getattr(event, "token_ids", None) or ()


def _text_of(token: int, decode: Decode) -> str:
    try:
        return str(decode(token))
    except Exception:  # a user's function: it must not break the engine's step that calls it
        return f"<{token}>"
