"""`serve` leaves the cache as a finished request does, and the store with the tokens themselves."""

import pytest

from radixlab.cache import CacheConfig, KVCacheManager, NumpyKVStore, check
from radixlab.lesson.serving import serve

PROMPTS = [[1, 2, 3, 4, 5], [1, 2, 3, 9, 9, 9], [7, 7, 7, 7, 7], [8, 8, 8, 8], [1, 2, 3, 4, 6]]


@pytest.mark.parametrize("num_host_blocks", [0, 2, 16])
def test_every_hit_reads_the_tokens_of_its_prompt(num_host_blocks):
    cache = KVCacheManager(CacheConfig(4, 2, num_host_blocks=num_host_blocks))
    store = NumpyKVStore(4, 2, num_host_blocks=num_host_blocks)
    for prompt in PROMPTS * 3:
        sequence = serve(cache, prompt, store)
        kept = store.read(sequence.slots(0, len(prompt), 2))
        assert kept.tolist() == prompt
        check(cache)
    assert not cache.sequences and not cache.transfers
