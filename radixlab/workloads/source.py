"""From what a person types to requests: a trace file, or a generator's name."""

import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from radixlab.choices import not_one_of
from radixlab.workloads.doubts import Doubts, Note, TraceRecord, TraceWarning
from radixlab.workloads.generators import GENERATORS
from radixlab.workloads.mooncake import expand, read_records
from radixlab.workloads.request import Request

DEFAULT_NUM_REQUESTS = 1000
"""What a generator makes when no limit is given."""


class UnknownWorkloadError(ValueError):
    """Neither a file nor a generator; the message lists the generators and names the nearest."""


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
    if not may_be_a_file(source):
        raise UnknownWorkloadError(
            f"workload {not_one_of(source, sorted(GENERATORS), unless='a file')}"
        )
    doubts = Doubts(strict)
    records = list(read_records(source, limit, doubts))
    for note in doubts.notes:
        warnings.warn(str(note), TraceWarning, stacklevel=2)
    return Workload(
        source, len(records), lambda: _expand_all(records), doubts.notes, doubts.num_lines
    )


def _expand_all(records: list[TraceRecord]) -> Iterator[Request]:
    return (expand(record, index) for index, record in enumerate(records))


def may_be_a_file(source: str) -> bool:
    """Whether there is such a file, or the text looks like a path to one."""
    return os.path.lexists(source) or any(mark in source for mark in ("/", os.sep, "."))
