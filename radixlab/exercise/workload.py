"""What exercise 8.5.3 hands out: a workload to plan for, and the plan to return.

A workload is recorded traffic that will be served once more, one request at a time, so everything
is known in advance. No code of a plan is in this file.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

Pattern = Literal["few-shot", "multi-turn-chat", "agent", "document-qa"]
PATTERNS: tuple[Pattern, ...] = ("few-shot", "multi-turn-chat", "agent", "document-qa")
BLOCK_SIZES = (8, 16, 32, 64, 128)
"""Tokens per block that the attention kernels take."""
BLOCK_OVERHEAD_TOKENS = 8
"""What a block needs beside its tokens (scales, table entries), given as tokens."""

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A prompt and its answer, both as recorded."""

    index: int
    """Its position in the order of arrival, from 0."""
    prompt: Tokens = field(repr=False)
    output: Tokens = field(repr=False)
    after: int | None
    """The index of the turn or step before, which must be served first; None if there is none.

    This prompt begins with that one's prompt and output."""

    @property
    def tokens(self) -> Tokens:
        """Prompt and output: what the cache can register of it."""
        return self.prompt + self.output


@dataclass(frozen=True, slots=True)
class Workload:
    """Traffic, the memory for it, and how long a request may wait."""

    pattern: str
    """One of `PATTERNS`."""
    requests: tuple[Request, ...] = field(repr=False)
    """In order of arrival."""
    max_wait: int
    """A request may be served at most this many positions later than it arrived."""
    pool_tokens: int
    """Memory for KV, in tokens."""

    def num_blocks(self, block_size: int) -> int:
        """Return how many blocks of this size the memory holds; larger ones waste less of it.

        >>> workload = Workload("few-shot", (), max_wait=20, pool_tokens=5_000)
        >>> [workload.num_blocks(size) * size for size in (8, 32, 128)]
        [2496, 4000, 4608]
        """
        return self.pool_tokens // (block_size + BLOCK_OVERHEAD_TOKENS)

    @property
    def pin_budget_tokens(self) -> int:
        """Together, pins that hold at the same time may keep a fifth of the memory."""
        return self.pool_tokens // 5


@dataclass(frozen=True, slots=True)
class Pin:
    """A prefix that is not evicted for a while."""

    tokens: Tokens = field(repr=False)
    """The pin keeps the whole blocks of these that are cached when it begins; perhaps none."""
    from_: int
    """The pin begins before the request at this position of the order …"""
    until: int
    """… and ends before the request at this position; the number of requests is the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `plan` returns."""

    order: list[int]
    """The index of every request, in the order in which to serve them."""
    block_size: int
    """One of `BLOCK_SIZES`."""
    pins: list[Pin]
    """Prefixes to keep, each for a while; may be empty."""
    insertion: Callable[[Request], int]
    """How many leading tokens of `request.tokens` to register when it is done, at most.

    The blocks of the others are free again at once."""
    hot_spot: Tokens
    """The prefix that saves most where nothing is evicted: the one with the largest product of
    its tokens and the number of requests that find all of them."""


class Planner(Protocol):
    """What you write."""

    def __call__(self, workload: Workload) -> Plan:
        """Return the plan for a workload of any of the patterns."""
