"""A request's whole life in one call, for lessons about what happens between requests.

This file knows the order of calls. With a store, each token is written as its own value, so that a
lesson can read back whose bytes a block holds.
"""

import numpy as np

from radixlab.cache import KVCacheManager, NumpyKVStore, Sequence


def serve(cache: KVCacheManager, prompt: list[int], store: NumpyKVStore | None = None) -> Sequence:
    """Allocate, run the transfers, write, commit and release; return the finished sequence.

    >>> from radixlab.cache import CacheConfig
    >>> cache = KVCacheManager(CacheConfig(num_blocks=4, block_size=2))
    >>> serve(cache, [1, 2, 3, 4, 5]).hit_tokens, serve(cache, [1, 2, 3, 9]).hit_tokens
    (0, 2)
    """
    sequence = cache.allocate(prompt)
    if store:
        store.run(sequence.copies)
    cache.complete(sequence.copies)
    if store:
        start = sequence.hit_tokens
        slots = sequence.slots(start, len(prompt), cache.config.block_size)
        store.write(slots, np.array(prompt[start:], np.float32))
    cache.commit(sequence, len(prompt))
    cache.release(sequence)
    return sequence
