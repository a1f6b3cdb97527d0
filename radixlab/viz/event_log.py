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
from radixlab.observe.lamp import Fault, first_fault
from radixlab.observe.state import State, copy_state, fold_all
from radixlab.observe.wire import state_to_json
from radixlab.viz.text import Decode, clip, token_text

FIELDS = {name: [f.name for f in fields(cls)] for name, cls in EVENT_TYPES.items()}
"""Field names per event type, in the order of a row's values."""

_LONGEST = 400, 100
"""What is kept of a longer text of one token: characters at its start, and at its end."""
_COMPACT = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_VALUES = {cls: attrgetter(*FIELDS[name]) for name, cls in EVENT_TYPES.items()}

_CALL_BEGINS: tuple[type[Event], ...] = (
    *(ev.SequenceStarted, SequenceForked, ev.TransfersCompleted, ev.OutOfBlocks),
    *(ev.CacheRestarted, ev.AllBlocksCleared, TreeResynced, ev.StreamReported),
)
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
        self._texts: list[str] = []  # each row as JSON; the events that were never sent have none
        self.num_bytes = 0
        """The size of the rows as JSON, in bytes."""
        self._keyframe_text = ""
        self._vocab_text = "null", 0
        self._vocab: dict[str, str] | None = {} if decode else None
        self.learn(t for n in keyframe.nodes.values() for t in n.tokens)
        self.learn(t for s in keyframe.sequences.values() for t in s.tokens)

    @property
    def end(self) -> int:
        """The number of the next event."""
        return self.start + len(self.events)

    def begin_cell(self, number: int) -> None:
        """Say which notebook cell the next event comes from; its number never goes down."""
        self._cells.setdefault(number, self.end)

    def state(self) -> State:
        """Fold all events into the keyframe's state."""
        return fold_all(copy_state(self._keyframe), self.events)

    def verdict(self) -> Fault | None:
        """Return the first event that breaks a rule of the cache, as the lamp of the view does."""
        return first_fault(self._keyframe, self.events, self.start)

    def forks(self, first: int = 0) -> dict[int, int]:
        """Map sequences to those they were forked from, by events from number `first` on."""
        known = self._old_forks if first < self.start or not first else {}
        return known | _forks_in(self.events[max(0, first - self.start) :])

    def rows(self, first: int) -> tuple[list[list[Any]], dict[str, str]]:
        """Return the events from number `first` on as rows, and the new token texts."""
        new: dict[str, str] = {}
        rows = []
        for k in range(first - self.start, len(self.events)):
            event = self.events[k]
            rows.append([type(event).__name__, *_VALUES[type(event)](event)])
            new |= self.learn(_tokens_of(event))
        return rows, new

    def message(self, first: int, cell: int | None = None) -> str:
        """Return the events from number `first` on as a JSON text, or "" if there is none.

        New events have a `cell`, and bring the texts of their tokens.
        """
        new = self._write_rows()
        if first >= self.end:
            return ""
        more = {} if cell is None else {"cell": cell, "vocab": new}
        return _with_events({"from": first} | more, self._texts[first - self.start :])

    def keyframe_text(self) -> str:
        """Return the keyframe as a JSON text, which is built once."""
        if not self._keyframe_text:
            self._keyframe_text = json.dumps(state_to_json(self._keyframe))
        return self._keyframe_text

    def recording_text(self, frame: dict[str, Any]) -> str:
        """Return `frame` and the log without its keyframe as a JSON text; shorten a long log."""
        self.shorten()
        if self._vocab is not None and len(self._vocab) > self._vocab_text[1]:
            self._vocab_text = json.dumps(self._vocab), len(self._vocab)
        forks = list(self._old_forks.items())
        cells = list(self._cells.items())
        head = frame | {"from": self.start, "forks": forks, "cells": cells, "fields": FIELDS}
        return _with_events(head, self._texts, f',"vocab":{self._vocab_text[0]}')

    def shorten(self) -> None:
        """Forget the oldest events of a log that is too long."""
        self._write_rows()
        if self.num_bytes > self._max_bytes:
            self._forget()

    def _write_rows(self) -> dict[str, str]:
        """Write the rows of the newest events as JSON; return the new token texts."""
        rows, new = self.rows(self.start + len(self._texts))
        texts = [_COMPACT(row) for row in rows]
        self._texts += texts
        self.num_bytes += sum(map(len, texts))
        return new

    def learn(self, tokens: Iterable[int]) -> dict[str, str]:
        """Decode the tokens not seen before; return their texts by id, with strings as keys."""
        new: dict[str, str] = {}
        if self._vocab is None or self._decode is None:
            return new
        for token in tokens:
            key = str(token)
            if key not in self._vocab:
                self._vocab[key] = new[key] = clip(token_text(token, self._decode), *_LONGEST)
        return new

    def to_json(self) -> dict[str, Any]:
        """Return the whole log, for a new browser page; shorten it first if it is too long."""
        recording: dict[str, Any] = json.loads(self.recording_text({}))
        return {"keyframe": json.loads(self.keyframe_text())} | recording

    def _forget(self) -> None:
        """Fold the oldest events into the keyframe, so that half of the most bytes is left."""
        keep, size = len(self._texts), 0
        while keep and size + len(self._texts[keep - 1]) <= self._max_bytes // 2:
            keep -= 1
            size += len(self._texts[keep])
        keep = self._next_call(keep)
        running = fold_all(self._keyframe, self.events[:keep]).sequences
        forks = self._old_forks | _forks_in(self.events[:keep])
        self._old_forks = {child: parent for child, parent in forks.items() if child in running}
        self.start += keep
        del self.events[:keep], self._texts[:keep]
        self.num_bytes, self._keyframe_text = sum(map(len, self._texts)), ""

    def _next_call(self, first: int) -> int:
        """Return where the next call begins, from here on: half a call would lose its marks."""
        later = range(first, len(self.events))
        return next((k for k in later if isinstance(self.events[k], _CALL_BEGINS)), first)


def _with_events(head: dict[str, Any], rows: list[str], more: str = "") -> str:
    """Return `head` as JSON, followed by `more` and by rows that are JSON already."""
    return f'{json.dumps(head)[:-1]}{more},"events":[{",".join(rows)}]}}'


def _forks_in(events: list[Event]) -> dict[int, int]:
    return {e.sequence_id: e.parent_id for e in events if isinstance(e, SequenceForked)}


def _tokens_of(event: Event) -> Iterable[int]:
    if isinstance(event, TreeResynced):
        return (token for row in event.nodes for token in row[3])
    return getattr(event, "token_ids", None) or ()
