"""A long prompt beside a request that generates: what each step of the engine computes."""

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.config import SchedulerConfig
from radixlab.engine import Engine
from radixlab.model.counting import CountingRunner

SHORT, LONG = 8, 600
"""Tokens of the prompt that generates already, and of the one that arrives."""


def pieces(max_batch_tokens: int) -> list[int]:
    """Return the tokens that each step computes, from the arrival of the long prompt to its end.

    >>> pieces(2048), pieces(256)
    ([601], [256, 256, 91])
    """
    config = CacheConfig(num_blocks=64)
    engine = Engine(
        KVCacheManager(config),
        CountingRunner(config),
        SchedulerConfig(max_batch_tokens=max_batch_tokens),
    )
    engine.add_request(range(SHORT), max_tokens=LONG)
    engine.step()
    long = engine.add_request(range(100, 100 + LONG), max_tokens=1)
    computed = []
    while not long.finish_reason:
        before = engine.runner.num_computed_tokens  # type: ignore[attr-defined]  # it counts
        engine.step()
        computed.append(engine.runner.num_computed_tokens - before)  # type: ignore[attr-defined]
    return computed
