"""A request log as a workload of the replay: the tokens of its prompts, and no answers.

    radixlab replay requests.jsonl --num-blocks 4000 --policy lru,belady

This file knows how requests become tokens and namespaces. It does not know caches.
"""

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from radixlab.events import Namespace
from radixlab.why.errors import BadLineError, WhyError
from radixlab.why.lines import OnSkip, open_log, read_lines
from radixlab.why.packed import GZ_MAGIC
from radixlab.why.reading import RequestLog, read_line
from radixlab.why.request import Request
from radixlab.why.tokenizers import BytesOverFour, TextTokenizer
from radixlab.workloads import Request as CacheRequest
from radixlab.workloads import Workload

MOST_LOOKED_AT = 20
"""Lines that are looked at to find out what a file is."""
NO_TOKENS = np.array([], np.int32)


def is_request_log(path: str | Path) -> bool:
    """Whether one of a file's first lines is a request."""
    if not Path(path).is_file():
        return False
    try:
        with open_log(path) as file:
            for line in islice(read_lines(file, lambda _: None), MOST_LOOKED_AT):
                try:
                    read_line(line)
                    return True
                except BadLineError:
                    continue
    except WhyError:
        return False
    return False


def is_packed(path: str | Path) -> bool:
    """Whether this is a gz file."""
    if not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(GZ_MAGIC)) == GZ_MAGIC


def open_request_log(
    path: str | Path,
    tokenizer: TextTokenizer | None = None,
    limit: int | None = None,
    on_skip: OnSkip | None = None,
) -> Workload:
    """Open a log as a workload; `WhyError` if it has no request.

    The log is read once now, to count its requests, and again in each run.
    """
    tokens = BytesOverFour() if tokenizer is None else tokenizer
    with RequestLog(path, on_skip, tokens.template) as log:
        num_requests = sum(1 for _ in islice(log, limit))
    if not num_requests:
        raise WhyError(f"{path}: the log has no request that can be read")

    def requests() -> Iterator[CacheRequest]:
        first: float | None = None
        with RequestLog(path, template=tokens.template) as log:
            for request in islice(log, limit):
                first = request.timestamp if first is None else first
                yield _as_tokens(request, tokens, first)

    return Workload(str(path), num_requests, requests)


def _as_tokens(request: Request, tokenizer: TextTokenizer, first: float | None) -> CacheRequest:
    ids = request.token_ids
    prompt = tokenizer.encode(request.text) if ids is None else ids
    time = request.timestamp
    return CacheRequest(
        prompt,
        NO_TOKENS,
        None if time is None or first is None else max(0.0, time - first),
        f"line {request.line}",
        _namespace(request.scope),
    )


def _namespace(scope: tuple[tuple[str, str], ...]) -> Namespace | None:
    """Return a namespace that only requests of the same scope have."""
    if not scope:
        return None
    digest = hashlib.blake2b(repr(scope).encode(errors="backslashreplace"), digest_size=8)
    return ("scope", digest.hexdigest())
