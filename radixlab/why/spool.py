"""Several logs, or a pipe, as one file: `explain` reads earlier text again by its offset.

The file is private and is removed at the end. This file knows bytes; it does not know requests.
"""

import os
import select
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from radixlab.why.errors import WhyError
from radixlab.why.examples import CODING_AGENT, SUPPORT_DESK
from radixlab.why.lines import open_log
from radixlab.why.packed import PackedError

_CHUNK = 1 << 20
_LOOK_S = 0.2
"""Seconds between two looks for Ctrl-C while no bytes arrive."""
STDIN = "-"
EXAMPLES = {"support-desk": SUPPORT_DESK, "coding-agent": CODING_AGENT}
"""Logs that the package brings, by the names that the command knows."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log that can be read twice."""

    path: Path
    name: str
    """What people call it."""
    notes: tuple[str, ...] = ()
    """Which lines come from which file, if several files were joined."""


@contextmanager
def one_log(sources: Sequence[str]) -> Iterator[Log]:
    """Yield a single file as it is, and anything else as a temporary file with all its bytes.

    The name of an example stands for its file, where no file has that name.

    Raises
    ------
    OSError
        A source cannot be read, or the disk is full.
    WhyError
        One of several files is not a log.
    """
    sources = [_example_or(source) for source in sources]
    if len(sources) == 1 and _is_file(sources[0]):
        yield Log(Path(sources[0]), name_of(sources[0]))
        return
    with tempfile.TemporaryDirectory(prefix="radixlab-why-") as folder:
        path = Path(folder) / "log.jsonl"
        counts = []
        with path.open("wb") as spool:
            if len(sources) == 1:  # as it comes, packed or not: the reader has limits for both
                _copy_pipe(sources[0], spool)
            else:
                counts = [(name_of(source), _append(source, spool)) for source in sources]
        yield Log(path, ", ".join(map(name_of, sources)), _notes(counts))


def name_of(source: str) -> str:
    """Return what people call a source.

    >>> name_of("logs/day.jsonl"), name_of("-")
    ('day.jsonl', 'standard input')
    """
    return "standard input" if source == STDIN else Path(source).name


def _example_or(source: str) -> str:
    path = EXAMPLES.get(source)
    return str(path) if path and not os.path.lexists(source) else source


def _is_file(source: str) -> bool:
    return source != STDIN and stat.S_ISREG(os.stat(source).st_mode)


def _copy_pipe(source: str, target: IO[bytes]) -> None:
    if source == STDIN:
        _copy(sys.stdin.buffer, target)
        return
    with open(source, "rb") as file:
        _copy(file, target)


def _copy(file: IO[bytes], target: IO[bytes]) -> None:
    """Copy what comes until the end.

    A read that waits for ever can miss a Ctrl-C that came just before it. So it only begins when
    there is something to read.
    """
    try:
        number = file.fileno()
    except OSError:  # a stand-in for standard input
        shutil.copyfileobj(file, target, _CHUNK)
        return
    while True:
        while os.name == "posix" and not select.select([number], [], [], _LOOK_S)[0]:
            pass
        chunk = os.read(number, _CHUNK)
        if not chunk:
            return
        target.write(chunk)


def _append(source: str, target: IO[bytes]) -> int:
    """Copy one of several logs, unpacked, up to a line's end; return its number of lines."""
    number, last = 0, b"\n"
    with one_log([source]) as log, open_log(log.path) as file:
        try:
            while chunk := file.read(_CHUNK):
                target.write(chunk)
                number += chunk.count(b"\n")
                last = chunk[-1:]
        except PackedError as error:
            raise WhyError(f"{source}: {error}") from None
    if last != b"\n":
        target.write(b"\n")
        number += 1
    return number


def _notes(counts: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Say where each file begins, because lines are counted through."""
    notes, first = [], 1
    for name, number in counts:
        if number:
            notes.append(f"{name}: lines {first:,} to {first + number - 1:,}")
        first += number
    return tuple(notes)
