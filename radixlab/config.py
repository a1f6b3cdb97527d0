"""Every default of the engine, with its unit.

Knows numbers and their bounds; nothing of the code that uses them.
"""

from dataclasses import dataclass
from numbers import Integral


class ConfigError(ValueError):
    """A setting that cannot work; the message names it and its value."""


def positive(name: str, value: object) -> int:
    """Return `value` as an int if it is one above zero; a `ConfigError` names it otherwise."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value <= 0:
        raise ConfigError(f"{name} must be a positive integer, not {value!r}")
    return int(value)  # NumPy's ints are Integral too


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
    """Where a prompt leaves the tree inside a block, copy the block if at least so many tokens of
    it agree; 0 for never."""

    def __post_init__(self) -> None:
        positive("num_blocks", self.num_blocks)
        positive("block_size", self.block_size)
        if self.num_host_blocks:
            positive("num_host_blocks", self.num_host_blocks)
        if self.pin_budget_blocks:
            positive("pin_budget_blocks", self.pin_budget_blocks)
        if self.pin_budget_blocks >= self.num_blocks:
            raise ConfigError(
                f"pin_budget_blocks is {self.pin_budget_blocks}: it must be below num_blocks, "
                f"which is {self.num_blocks}"
            )
        if self.partial_reuse_tokens:
            positive("partial_reuse_tokens", self.partial_reuse_tokens)


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
            positive(name, getattr(self, name))
        if self.watermark_blocks:
            positive("watermark_blocks", self.watermark_blocks)
        if self.max_batch_tokens < self.max_running:
            raise ConfigError(
                f"max_batch_tokens is {self.max_batch_tokens}: a token for each of max_running, "
                f"which is {self.max_running}, is the least"
            )
