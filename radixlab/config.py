"""Every default of the engine, with its unit.

This file knows numbers and their bounds. It does not know the code that uses them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import Any, SupportsIndex

MAX_BLOCKS = 2**28
"""Most blocks of a pool: more than any machine has, and their ids fit int32 with room to spare."""
MAX_BLOCK_SIZE = 2**31 - 1
"""Most tokens of a block."""


class ConfigError(ValueError):
    """A setting that cannot work; the message names it and its value."""


Count = int | Any
"""What a caller may give as a count: an int, or one of NumPy's. All else is refused by name."""


def as_int(value: object) -> int | None:
    """Return an integer of any kind, NumPy's too, as a plain int; None for anything else.

    A bool is not an integer here, and neither is a float with a whole value.

    >>> as_int(7), as_int(7.0), as_int(True)
    (7, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    try:
        return index(value)
    except TypeError:  # arrays and NumPy's bools only look as if they could be an index
        return None


def shown(value: object) -> str:
    """Show a caller's value in an error: on one line, and never long.

    >>> shown("7"), shown(10**5000)
    ("'7'", 'an int of 16610 bits')
    """
    if isinstance(value, int) and value.bit_length() > 512:
        return f"an int of {value.bit_length()} bits"
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else text[:197] + "..."


def positive(name: str, value: object, most: int | None = None) -> int:
    """Return `value` as a plain int above zero, at most `most`; else a `ConfigError` names it."""
    number = as_int(value)
    if number is None or number <= 0:
        raise ConfigError(f"{name} must be a positive integer, not {shown(value)}")
    if most is not None and number > most:
        raise ConfigError(f"{name} must be at most {most}, not {shown(number)}")
    return number


def none_or_more(name: str, value: object, most: int | None = None) -> int:
    """Return `value` as a plain int, 0 or more; else a `ConfigError` names it."""
    number = as_int(value)
    if number is None or number < 0:
        raise ConfigError(f"{name} must be an integer, 0 or more, not {shown(value)}")
    return positive(name, number, most) if number else 0


def token_ids(name: str, values: object) -> frozenset[int]:
    """Return token ids as plain ints; else a `ConfigError` names them.

    An id of another type would equal no token, so that the setting had no effect.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ConfigError(f"{name} must be several token ids, not {shown(values)}")
    return frozenset(none_or_more(f"a token of {name}", value) for value in values)


def settle(config: object, name: str, value: object) -> None:
    """Put the plain value into a frozen config that is being made."""
    object.__setattr__(config, name, value)


@dataclass(frozen=True, slots=True)
class CacheConfig:
    """The cache's sizes, in blocks and tokens; bytes are the KV store's business."""

    num_blocks: int
    """Blocks in the device pool."""
    block_size: int = 16
    """Tokens per block (SGLang says page size). Lessons draw with 4."""
    explain: bool = False
    """Tell the reasons of a miss apart; costs a digest per evicted block, so benchmarks leave it
    off."""

    pin_budget_blocks: int = 0
    """Most blocks that pins may hold together; fewer than the pool has."""

    num_host_blocks: int = 0
    """Blocks of host memory for what is evicted from the device; 0 for no host tier."""

    partial_reuse_tokens: int = 0
    """Where a prompt leaves the tree inside a block, copy the block if at least this many tokens of
    it agree; 0 for never."""

    def __post_init__(self) -> None:
        settle(self, "num_blocks", positive("num_blocks", self.num_blocks, MAX_BLOCKS))
        settle(self, "block_size", positive("block_size", self.block_size, MAX_BLOCK_SIZE))
        for name in ("num_host_blocks", "pin_budget_blocks"):
            settle(self, name, none_or_more(name, getattr(self, name), MAX_BLOCKS))
        least = none_or_more("partial_reuse_tokens", self.partial_reuse_tokens)
        settle(self, "partial_reuse_tokens", least)
        if type(self.explain).__name__ not in ("bool", "bool_"):  # the second is NumPy's
            raise ConfigError(f"explain must be True or False, not {shown(self.explain)}")
        settle(self, "explain", bool(self.explain))
        if self.pin_budget_blocks >= self.num_blocks:
            raise ConfigError(
                f"pin_budget_blocks is {self.pin_budget_blocks}: it must be below num_blocks, "
                f"which is {self.num_blocks}"
            )


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """How much one step computes, and for whom."""

    order: str = "longest-prefix"
    """A name of `radixlab.sched.ORDERS`: which waiting request goes next."""
    max_passes: int = 64
    """Steps in which a waiting request may see later ones admitted; then it goes first."""
    max_running: int = 64
    """Requests that have blocks at the same time; forks of one that is admitted come on top."""
    max_batch_tokens: int = 2048
    """Tokens that a step computes; a longer prompt takes several steps."""
    watermark_blocks: int = 1
    """Blocks that an admission leaves free for every running request to grow into."""
    max_lookups: int = 256
    """Waiting requests, the longest waiting first, that are looked up and ordered in a step."""

    def __post_init__(self) -> None:
        for name in ("max_passes", "max_running", "max_batch_tokens", "max_lookups"):
            settle(self, name, positive(name, getattr(self, name)))
        settle(self, "watermark_blocks", none_or_more("watermark_blocks", self.watermark_blocks))
        if not isinstance(self.order, str):
            raise ConfigError(f"order must be a name, not {shown(self.order)}")
        if self.max_batch_tokens < self.max_running:
            raise ConfigError(
                f"max_batch_tokens is {shown(self.max_batch_tokens)}: a token for each of "
                f"max_running, which is {shown(self.max_running)}, is the least"
            )
