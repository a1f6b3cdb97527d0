"""One run on a tape, for lessons that compare two: the same texts under one policy."""

from collections.abc import Iterable

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.protocols import EvictionPolicy
from radixlab.lesson.serving import serve
from radixlab.lesson.tokens import encode
from radixlab.viz import Tape


def taped(
    policy: EvictionPolicy, texts: Iterable[str], num_blocks: int, block_size: int = 4
) -> Tape:
    """Serve the texts one after the other; return the tape, which has the policy's name.

    >>> from radixlab.cache.eviction import LRU
    >>> tape = taped(LRU(), ["a cat", "a cap"], num_blocks=4)
    >>> tape.name, len(tape.events)
    ('lru', 15)
    """
    cache = KVCacheManager(CacheConfig(num_blocks, block_size), policy=policy)
    tape = Tape(cache, policy.name)
    for text in texts:
        serve(cache, encode(text))
    return tape
