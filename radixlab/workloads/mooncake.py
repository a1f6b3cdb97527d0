"""Production traces in Mooncake's format, read as requests.

One JSON object a line: `timestamp` (ms), `input_length` and `output_length` (tokens), and
`hash_ids`, one id per 512-token block of the prompt. Equal ids stand for equal blocks: the text is
gone, the sharing is not (Mooncake, FAST '25). We give every id 512 token ids of its own, so a cache
finds exactly the sharing that the service had.

This file knows the format and how ids become tokens. It does not know the cache.
"""

import json
import os
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from radixlab.cache.splitmix import splitmix64
from radixlab.workloads.doubts import (
    HASH_BLOCK_TOKENS,
    Doubts,
    TraceError,
    TraceRecord,
    TraceWarning,
)
from radixlab.workloads.request import Request, TokenArray, frozen

VOCAB_SIZE = 128_000
"""Expanded token ids are below this: the order of a current model's vocabulary."""
MAX_HASH_ID = 2**53
"""Ids are below this, so that id · 512 stays below 2^63, where the counters of outputs begin."""
MAX_TOKENS = 2**24
"""Most tokens of a prompt or an output; a line with more is broken, not long."""
MAX_LINE_BYTES = 2**24

CONVERSATION_TRACE = "mooncake_conversation.jsonl"


def read_requests(path: str | os.PathLike[str], limit: int | None = None) -> Iterator[Request]:
    """Yield the requests of a trace file in file order, each expanded when it is asked for.

    Raises `TraceError` when it comes to a line that is broken, so the requests before it have been
    yielded by then.
    """
    for index, record in enumerate(read_records(path, limit)):
        yield expand(record, index)


def read_records(
    path: str | os.PathLike[str], limit: int | None = None, doubts: Doubts | None = None
) -> Iterator[TraceRecord]:
    """Yield the lines of a trace file as checked records; blank lines are skipped.

    Lines that contradict themselves are noted in `doubts`; without one, a `TraceWarning` tells of
    each kind at the end. Raises `TraceError` for a file that cannot be read, has no request, or has
    a broken line.
    """
    num_records, found = 0, Doubts() if doubts is None else doubts
    try:
        with open(path, "rb") as file:
            for number, line in islice(_lines(path, file), limit):
                where = f"{path}, line {number}"
                record = _parse(line, where)
                found.check(record, where)
                yield record
                num_records += 1
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from None
    if not num_records:
        raise TraceError(f"{path}: the file has no requests")
    for note in found.notes if doubts is None else ():
        warnings.warn(str(note), TraceWarning, stacklevel=2)


def expand(record: TraceRecord, index: int) -> Request:
    """Give a record its tokens; `index`, its place in the trace, makes its output its own.

    >>> expand(TraceRecord(0.0, 3, 2, (0,)), index=0).prompt
    array([47535, 54465, 60110], dtype=int32)
    """
    return Request(
        expand_hash_ids(record.hash_ids, record.num_prompt_tokens),
        fresh_tokens(index, record.num_output_tokens),
        record.arrival_s,
        f"request {index}",
    )


def expand_hash_ids(hash_ids: Sequence[int], num_tokens: int) -> TokenArray:
    """Return the first `num_tokens` tokens of these blocks, or all; int32 `[n]`, read-only.

    Token j of block h is splitmix64(h · 512 + j) mod 128,000.
    """
    num_blocks = min(len(hash_ids), -(-num_tokens // HASH_BLOCK_TOKENS))
    ids: npt.NDArray[np.uint64] = np.array(hash_ids[:num_blocks], np.uint64)[:, None]
    offsets = np.arange(HASH_BLOCK_TOKENS, dtype=np.uint64)
    counters = ids * np.uint64(HASH_BLOCK_TOKENS) + offsets  # [num_blocks, 512]
    return _to_tokens(counters.ravel()[:num_tokens])


def fresh_tokens(index: int, num_tokens: int) -> TokenArray:
    """Return tokens that no prompt and no other index has, int32 `[num_tokens]`, read-only.

    Prompts use counters below 2^63; output `index` has 2^24 of the counters above to itself.
    """
    start = np.uint64(2**63 + index * MAX_TOKENS)
    return _to_tokens(start + np.arange(num_tokens, dtype=np.uint64))


def conversation_trace() -> Path | None:
    """Find the production trace in `RADIXLAB_TRACES`, else `../shared/traces`; None if missing."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "traces"
    folder = Path(os.environ.get("RADIXLAB_TRACES") or beside)
    path = folder / CONVERSATION_TRACE
    return path if path.is_file() else None


def _to_tokens(counters: npt.NDArray[np.uint64]) -> TokenArray:
    return frozen((splitmix64(counters) % np.uint64(VOCAB_SIZE)).astype(np.int32))


def _lines(path: str | os.PathLike[str], file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield `(line number, line)` of lines that are not blank, never holding more than one."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise TraceError(f"{path}, line {number}: longer than {MAX_LINE_BYTES:,} bytes")
        if line.strip():
            yield number, line


def _parse(line: bytes, where: str) -> TraceRecord:
    """Check one line; `where` begins the message of the `TraceError` that names its first fault."""
    fields = _load(line, where)
    record = TraceRecord(
        arrival_s=_milliseconds(fields, where) / 1000,
        num_prompt_tokens=_length(fields, "input_length", 1, where),
        num_output_tokens=_length(fields, "output_length", 0, where),
        hash_ids=_hash_ids(fields, where),
    )
    if min(record.num_prompt_tokens, HASH_BLOCK_TOKENS * len(record.hash_ids)) > MAX_TOKENS:
        raise TraceError(f"{where}: a prompt of more than {MAX_TOKENS:,} tokens")
    return record


def _load(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise TraceError(f"{where}: not UTF-8 (byte {error.start})") from None
    except _TwiceError as error:
        raise TraceError(f"{where}: {error} is there twice") from None
    except json.JSONDecodeError as error:
        raise TraceError(f"{where}: not JSON: {error.msg} (column {error.colno})") from None
    except (
        ValueError,
        RecursionError,
    ):  # a number of thousands of digits, brackets nested without end
        raise TraceError(f"{where}: not JSON that can be read") from None
    if not isinstance(value, dict):
        raise TraceError(f"{where}: a JSON object is expected, not {_shown(value)}")
    return value


class _TwiceError(ValueError):
    """A field that a line names twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(_shown(next(name for name in names if names.count(name) > 1)))
    return fields


def _field(fields: dict[str, Any], key: str, where: str) -> Any:
    if key not in fields:
        raise TraceError(f"{where}: {key} is missing")
    return fields[key]


def _milliseconds(fields: dict[str, Any], where: str) -> float:
    value = _field(fields, "timestamp", where)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < 2**53:  # also refuses NaN
        raise TraceError(f"{where}: timestamp must be milliseconds ≥ 0, not {_shown(value)}")
    return float(value)


def _length(fields: dict[str, Any], key: str, least: int, where: str) -> int:
    value = _field(fields, key, where)
    if type(value) is not int:
        raise TraceError(f"{where}: {key} must be an integer, not {_shown(value)}")
    if value < least:
        raise TraceError(f"{where}: {key} must be at least {least}, not {_shown(value)}")
    if value > MAX_TOKENS:
        raise TraceError(f"{where}: {key} must be at most {MAX_TOKENS:,}, not {_shown(value)}")
    return value


def _hash_ids(fields: dict[str, Any], where: str) -> tuple[int, ...]:
    value = _field(fields, "hash_ids", where)
    if not isinstance(value, list):
        raise TraceError(f"{where}: hash_ids must be a list, not {_shown(value)}")
    if not value:
        raise TraceError(f"{where}: hash_ids is empty, so the prompt has no tokens")
    for place, item in enumerate(value):
        if type(item) is not int or not 0 <= item < MAX_HASH_ID:
            raise TraceError(
                f"{where}: hash_ids[{place}] must be an integer in [0, 2^53), not {_shown(item)}"
            )
    return tuple(value)


def _shown(value: object) -> str:
    """Show a value of an untrusted file in one line: as JSON, so escaped, and never long."""
    is_huge = isinstance(value, int) and abs(value) > 10**99
    text = "a number of over 99 digits" if is_huge else json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."
