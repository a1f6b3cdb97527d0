"""From what a person types to requests: a trace file, or a generator's name."""

import difflib
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from radixlab.workloads.doubts import Doubts, Note, TraceRecord, TraceWarning
from radixlab.workloads.generators import GENERATORS
from radixlab.workloads.mooncake import expand, read_records
from radixlab.workloads.request import Request

DEFAULT_NUM_REQUESTS = 1000
"""What a generator makes when no limit is given."""


class UnknownWorkloadError(ValueError):
    """Neither a file nor a generator; the message lists the generators and guesses."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests that can be gone through again and again, one manager after another."""

    name: str
    num_requests: int
    requests: Callable[[], Iterator[Request]]
    """Start over: yields every request in order, its tokens made when it is asked for."""
    notes: tuple[Note, ...] = ()
    """What is doubtful in the trace, one note for each kind."""
    num_contradictions: int = 0
    """Lines of the trace that contradict themselves or the line before."""


def open_workload(
    source: str, limit: int | None = None, seed: int = 0, strict: bool = False
) -> Workload:
    """Open a generator by its name, else a trace file by its path (`./diverse` is always a file).

    A file is read and checked whole, up to `limit`, before anything runs: a broken line shows at
    once, not after minutes. Its tokens are still made one request at a time. Lines that contradict
    themselves are counted, and a `TraceWarning` tells of each kind; with `strict` they are refused.
    Raises `UnknownWorkloadError` and `TraceError`.

    >>> open_workload("diverse", limit=3).num_requests
    3
    """
    generator = GENERATORS.get(source)
    if generator is not None:
        count = limit or DEFAULT_NUM_REQUESTS
        return Workload(source, count, lambda: generator(count, seed))
    if not os.path.lexists(source) and not _looks_like_a_path(source):
        raise UnknownWorkloadError(_unknown(source))
    doubts = Doubts(strict)
    records = list(read_records(source, limit, doubts))
    for note in doubts.notes:
        warnings.warn(str(note), TraceWarning, stacklevel=2)
    return Workload(
        source, len(records), lambda: _expand_all(records), doubts.notes, doubts.num_lines
    )


def _expand_all(records: list[TraceRecord]) -> Iterator[Request]:
    return (expand(record, index) for index, record in enumerate(records))


def _looks_like_a_path(source: str) -> bool:
    return any(mark in source for mark in ("/", os.sep, "."))


def _unknown(source: str) -> str:
    known = sorted(GENERATORS)
    near = difflib.get_close_matches(source, known, n=1, cutoff=0.4)
    guess = f"; did you mean {near[0]}?" if near else ""
    return f"{source!r} is neither a file nor a generator ({', '.join(known)}){guess}"
