"""Recordings: a run of the cache as JSON lines, which can be replayed without an engine.

The first line is a header with the version and the state at the start. Every other line is an
event. Block ids are compressed in both: events hold runs, and the header holds `CompressedIds`.

Each line carries a checksum. The header also carries the number of the first event and, once the
recording is closed, the number of events. So a line that was changed, lost, repeated or moved is
detected. Each line is passed to the operating system at once, so a crash loses no earlier event.
`reading.py` reads recordings.
"""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from radixlab.events import Event, TreeResynced
from radixlab.observe.codec import CompressedIds
from radixlab.observe.snapshot import Cache, attach, next_seq, snapshot
from radixlab.observe.wire import block_id_fields, event_to_json, sealed, state_to_json

VERSION = 4
_KNOWN = f'{{"type":"Recording","version":{VERSION},'
_HEAD = f'{_KNOWN}"num_events":'
_COUNT_WIDTH = 20
"""Characters reserved for the number of events, which is known only at the end."""


class Recorder:
    """Writes everything that a cache emits from now on to a file; a context manager.

    With `tokens=False` token ids are left out: a recording of private prompts shows only shapes.
    """

    def __init__(self, cache: Cache, path: str | Path, tokens: bool = True) -> None:
        self._tokens = tokens
        self.num_events = self._num_begun = 0
        state = state_to_json(snapshot(cache))
        if not tokens:
            for part in (*state["nodes"], *state["sequences"]):
                part["tokens"] = [0] * len(part["tokens"])
        for part, name in block_id_fields(state):
            part[name] = CompressedIds.encode(np.array(part[name], np.int32)).to_text()
        self._file: BinaryIO | None = open(path, "wb")  # noqa: SIM115  # closed by close()
        self._cache, self._next_seq = cache, next_seq(cache)
        header = {"type": "Recording", "version": VERSION, "next_seq": self._next_seq}
        line = sealed(header | {"state": state})
        self._write(line.replace(_KNOWN, f"{_HEAD}{'null':<{_COUNT_WIDTH}},", 1))
        self._detach = attach(cache, self.record)

    def record(self, event: Event) -> None:
        """Append one event; do nothing after `close`."""
        if self._file is None:
            return
        self._num_begun += 1
        fields = event_to_json(event)
        if not self._tokens:
            _hide_tokens(fields)
        self._write(sealed(fields))
        self.num_events += 1
        self._next_seq = event.seq + 1

    def close(self) -> None:
        """Finish the file; a second call does nothing.

        If the recorder missed an event, because the disk was full or another listener replaced it,
        the number of events is left out, so that readers warn.
        """
        if self._file is not None:
            is_whole = self._is_whole()
            self._detach()
            if self._file.seekable() and is_whole:
                self._file.seek(len(_HEAD))
                self._file.write(f"{self.num_events:<{_COUNT_WIDTH}}".encode())
            self._file.close()
            self._file = None

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_whole(self) -> bool:
        """Whether every event so far was received and fully written."""
        heard = self._cache.emit is not None and self._next_seq == next_seq(self._cache)
        return heard and self._num_begun == self.num_events

    def _write(self, line: str) -> None:
        assert self._file is not None
        self._file.write(line.encode() + b"\n")
        self._file.flush()


def _hide_tokens(fields: dict[str, Any]) -> None:
    if fields.get("token_ids"):
        fields["token_ids"] = [0] * len(fields["token_ids"])
    if fields["type"] == TreeResynced.__name__:  # tokens are the fourth value of its rows
        fields["nodes"] = [(*row[:3], [0] * len(row[3]), *row[4:]) for row in fields["nodes"]]
