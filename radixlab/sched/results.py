"""What an engine reports: the tokens of a step, and counts."""

from dataclasses import dataclass

from radixlab.cache.stats import CacheStats
from radixlab.sched.request import FinishReason


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a step reports about one request."""

    request_id: int
    token_id: int | None
    """None if the request ended without a token, because of non-finite logits."""
    finish_reason: FinishReason | None
    """None if more tokens follow."""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Counts of an engine; a preempted request counts once."""

    num_steps: int
    num_waiting: int
    num_running: int
    num_finished: int
    """For whatever reason."""
    num_preemptions: int
    prompt_tokens: int
    """Prompt tokens of the finished requests."""
    cached_tokens: int
    """Those of them that were cached."""
    output_tokens: int
    cache: CacheStats
