"""What an engine tells: the tokens of a step, and its counts."""

from dataclasses import dataclass

from radixlab.cache.stats import CacheStats
from radixlab.sched.request import FinishReason


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a step has to say of one request."""

    request_id: int
    token_id: int | None
    """None if it ended without one: its logits were not finite."""
    finish_reason: FinishReason | None
    """None if there are more to come."""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """What an engine counts; a preempted request counts once."""

    num_steps: int
    num_waiting: int
    num_running: int
    num_finished: int
    """In whatever way."""
    num_preemptions: int
    prompt_tokens: int
    """Of the finished requests."""
    cached_tokens: int
    """Those of them that were in the cache."""
    output_tokens: int
    cache: CacheStats
