"""Traffic for the wind tunnel: requests by time of arrival, as names of blocks.

A trace is repeated with *fresh sessions* as often as necessary: every copy has the same sessions,
as if other people had them. What belongs to the service, such as the system prompt, stays the same
in all copies: blocks that at least one request in a hundred has, and at least 50 requests. A copy's
times are shifted by up to a minute, so that the copies do not move in step.

Requests are made when they are asked for: a million of them take a few arrays.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from radixlab.choices import not_one_of
from radixlab.config import positive
from radixlab.route.errors import RouteError
from radixlab.route.prompt import Keys, Prompt
from radixlab.workloads import GENERATORS, Request, TraceRecord, conversation_trace, read_records
from radixlab.workloads.doubts import HASH_BLOCK_TOKENS
from radixlab.workloads.source import may_be_a_file

SERVICE_SHARE = 0.01
LEAST_OF_SERVICE = 50
"""A block that this share of a trace's requests has, and at least this many requests, belongs to
the service."""
MOST_SHIFT_S = 60.0
"""How much later a copy's requests come, at most."""
CONVERSATION = "conversation"
"""The name of the production trace, wherever its file is."""
GENERATED_BLOCK = 16
"""Tokens of a block where prompts are generated; a trace says its own."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request and its time."""

    time_s: float
    prompt: Prompt
    num_output_tokens: int
    answer_keys: Keys | None = None
    """Names of the answer's whole blocks, where later prompts contain it; None for new names."""


@dataclass(frozen=True, slots=True)
class Line:
    """A request of one copy: its blocks, and whether its session or the service owns them."""

    keys: tuple[int, ...]
    num_service: int
    """Leading blocks that are the same in all copies."""
    num_tokens: int
    num_output_tokens: int
    session: str
    answer_keys: Keys | None = None
    """As in `Arrival`; such lines are not repeated."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Lines, and when each of them comes in each copy."""

    name: str
    block_size: int
    lines: list[Line]
    times_s: Floats
    """[num_requests], rising."""
    which: npt.NDArray[np.int32]
    """Index of each request's line, [num_requests]."""
    copies: npt.NDArray[np.int32]
    """Number of each request's copy, [num_requests]."""
    has_clock: bool = True
    """Whether the times are those of a trace; if not, they only set an order and a rhythm."""

    @property
    def num_requests(self) -> int:
        """Requests of all copies."""
        return len(self.times_s)

    @property
    def num_copies(self) -> int:
        """How often the lines are repeated."""
        return int(self.copies.max()) + 1 if len(self.copies) else 0

    @property
    def duration_s(self) -> float:
        """From the first arrival to the last."""
        return float(self.times_s[-1] - self.times_s[0]) if len(self.times_s) else 0.0

    @property
    def prompt_tokens(self) -> int:
        """Prompt tokens of all requests."""
        lengths = np.array([line.num_tokens for line in self.lines], np.int64)
        return int(lengths[self.which].sum())

    def load(self, num_replicas: int, prefill_tokens_per_s: float) -> float:
        """Return the prompt work that arrives, without a cache, as a share of what is possible."""
        possible = num_replicas * prefill_tokens_per_s * self.duration_s
        return self.prompt_tokens / possible if possible else 0.0

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the requests in the order of arrival."""
        span = 1 + max((key for line in self.lines for key in line.keys), default=0)
        when, which, copies = self.times_s.tolist(), self.which.tolist(), self.copies.tolist()
        for time_s, index, copy in zip(when, which, copies, strict=True):
            line = self.lines[index]
            keys = line.keys
            if copy:
                fresh = copy * span
                own = [key + fresh for key in keys[line.num_service :]]
                keys = (*keys[: line.num_service], *own)
            prompt = Prompt(keys, line.num_tokens, f"{copy}.{line.session}")
            yield Arrival(time_s, prompt, line.num_output_tokens, line.answer_keys)

    def at_load(self, load: float, num_replicas: int, prefill_tokens_per_s: float) -> "Traffic":
        """Return the same requests, faster or slower, so that they bring this load."""
        own = self.load(num_replicas, prefill_tokens_per_s)
        if not own:
            return self
        times = self.times_s * (own / load)
        return replace(self, times_s=times)


def make_traffic(source: str, num_requests: int, seed: int = 0) -> Traffic:
    """Make traffic by name: `conversation`, a control, a generator; or from a trace file.

    Raises `RouteError`, `TraceError` and `ConfigError`; an unknown name is told the known ones.
    """
    positive("num_requests", num_requests, 10**8)
    if source in CONTROLS:
        return _without_clock(source, HASH_BLOCK_TOKENS, CONTROLS[source](num_requests, seed), seed)
    if source in GENERATORS:
        lines = list(_generated(GENERATORS[source](num_requests, seed)))
        return _without_clock(source, GENERATED_BLOCK, lines, seed)
    if source != CONVERSATION and not may_be_a_file(source):
        known = (CONVERSATION, *CONTROLS, *sorted(GENERATORS))
        raise RouteError(f"traffic {not_one_of(source, known, unless='a file')}")
    path = conversation_trace() if source == CONVERSATION else source
    if path is None:
        raise RouteError(
            "the conversation trace is not here: set RADIXLAB_TRACES to its folder, "
            "or name another traffic, such as multi-turn-chat"
        )
    records = list(read_records(path, num_requests))
    return _repeated(source, records, num_requests, seed)


def _repeated(source: str, records: list[TraceRecord], num_requests: int, seed: int) -> Traffic:
    """Repeat a trace with fresh sessions."""
    lines = _lines_of(records)
    num_copies = -(-num_requests // len(lines))
    shifts = np.random.default_rng(seed).uniform(0, MOST_SHIFT_S, num_copies)
    base = np.array([record.arrival_s for record in records])
    shifts[0] = 0.0 if num_copies == 1 else shifts[0]
    times = (base[None, :] + shifts[:, None]).ravel()  # [num_copies · num_lines]
    order = np.argsort(times, kind="stable")[:num_requests]
    which, copies = order % len(lines), order // len(lines)
    return Traffic(
        source,
        HASH_BLOCK_TOKENS,
        lines,
        times[order],
        which.astype(np.int32),
        copies.astype(np.int32),
    )


def _lines_of(records: list[TraceRecord]) -> list[Line]:
    """Tell the service's blocks from the sessions'; only whole blocks can be cached."""
    counts = Counter(block for record in records for block in record.hash_ids)
    least = max(LEAST_OF_SERVICE, SERVICE_SHARE * len(records))
    lines = []
    for index, record in enumerate(records):
        num_tokens = min(record.num_prompt_tokens, HASH_BLOCK_TOKENS * len(record.hash_ids))
        ids = record.hash_ids
        num_service = next((i for i, block in enumerate(ids) if counts[block] < least), len(ids))
        session = str(ids[num_service]) if num_service < len(ids) else f"line {index}"
        keys = ids[: num_tokens // HASH_BLOCK_TOKENS]
        num_service = min(num_service, len(keys))
        lines.append(Line(keys, num_service, num_tokens, record.num_output_tokens, session))
    return lines


def _without_clock(source: str, block_size: int, lines: list[Line], seed: int) -> Traffic:
    """Let requests arrive at random, one a second on average; `at_load` sets the pace."""
    gaps = np.random.default_rng(seed).exponential(1.0, len(lines))
    which = np.arange(len(lines), dtype=np.int32)
    times, copies = np.cumsum(gaps), np.zeros_like(which)
    return Traffic(source, block_size, lines, times, which, copies, has_clock=False)


def _generated(requests: Iterable[Request]) -> Iterator[Line]:
    """Name the blocks of prompts and answers by their tokens: a later prompt may have both."""
    for index, request in enumerate(requests):
        tokens = np.concatenate((request.prompt, request.output))
        keys = Prompt.of_tokens(tokens, GENERATED_BLOCK, request.namespace).keys
        num_tokens = len(request.prompt)
        num_keys = num_tokens // GENERATED_BLOCK
        session = (request.label or f"line {index}").partition(", ")[0]
        own, answer = tuple(keys[:num_keys]), tuple(keys[num_keys:])
        yield Line(own, 0, num_tokens, len(request.output), session, answer)


# ---- controls

MEAN_BLOCKS, MEAN_OUTPUT = 23, 343
"""The conversation trace's means, in blocks of 512 and in tokens."""
HOT_SHARE, HOT_BLOCKS = 0.6, 19
"""Of the control with one hot prefix: who has it, and how long it is."""


def _fresh(num_requests: int, seed: int) -> list[Line]:
    """Make prompts that share nothing."""
    return [_line(range(n * 64, n * 64 + MEAN_BLOCKS), n) for n in range(num_requests)]


def _hot(num_requests: int, seed: int) -> list[Line]:
    """Let more than half of all prompts begin with one long document, each in its own session."""
    is_hot = np.random.default_rng(seed).random(num_requests) < HOT_SHARE
    lines = []
    for n in range(num_requests):
        own = range((n + 1) * 64, (n + 1) * 64 + MEAN_BLOCKS)
        keys = [*range(HOT_BLOCKS), *own[HOT_BLOCKS:]] if is_hot[n] else own
        lines.append(_line(keys, n))
    return lines


def _line(keys: Iterable[int], number: int) -> Line:
    blocks = tuple(keys)
    num_tokens = len(blocks) * HASH_BLOCK_TOKENS + HASH_BLOCK_TOKENS // 2
    return Line(blocks, 0, num_tokens, MEAN_OUTPUT, f"line {number}")


CONTROLS: dict[str, Callable[[int, int], list[Line]]] = {
    "nothing-shared": _fresh,
    "one-hot-prefix": _hot,
}
"""Traffic that shows what a rule cannot gain, and what it can break."""
