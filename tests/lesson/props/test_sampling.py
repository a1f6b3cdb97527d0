"""The decoders of lesson 04 leave nothing behind, and copy what they must."""

import pytest

from radixlab.cache import CacheConfig, KVCacheManager, NaiveManager, check
from radixlab.lesson.props.sampling import beam_search, parallel_sampling

PROMPT = list(range(22))


@pytest.mark.parametrize("decoder", [parallel_sampling, beam_search])
def test_nothing_leaks(decoder):
    manager = KVCacheManager(CacheConfig(200, block_size=4))
    decoder(manager, PROMPT, 4, 16)
    check(manager)
    assert manager.stats().num_used_blocks == 0


@pytest.mark.parametrize(("num_tokens", "copied"), [(20, 0), (21, 3), (23, 3), (24, 0)])
def test_all_writers_but_the_last_copy_a_shared_last_block(num_tokens, copied):
    manager = KVCacheManager(CacheConfig(200, block_size=4))
    parallel_sampling(manager, PROMPT[:20] + [1] * (num_tokens - 20), 4, 1)
    assert manager.stats().copied_blocks == copied


@pytest.mark.parametrize("decoder", [parallel_sampling, beam_search])
def test_the_eager_twin_copies_more(decoder):
    lazy = decoder(KVCacheManager(CacheConfig(200, block_size=4)), PROMPT, 4, 16)
    eager = decoder(NaiveManager(CacheConfig(200, block_size=4)), PROMPT, 4, 16)
    assert lazy.copied_blocks < eager.copied_blocks and lazy.peak_blocks < eager.peak_blocks
