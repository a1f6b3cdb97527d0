"""The weak hash serves wrong KV, wider ones later, and the tree never."""

import numpy as np

from radixlab.cache import CacheConfig, KVCacheManager, KVCanary
from radixlab.lesson.props.weak_hash import FlatHashCache, requests_until_wrong


def test_eight_bits_are_not_enough():
    assert requests_until_wrong(hash_bits=8) is not None


def test_wider_is_later():
    medians = [
        np.median([requests_until_wrong(bits, seed=seed) for seed in range(9)])
        for bits in (4, 8, 12)
    ]
    assert medians == sorted(medians) and medians[0] < medians[-1]


def test_with_32_bits_equal_prompts_share_and_read_right():
    config = CacheConfig(64, block_size=4)
    cache, canary = FlatHashCache(config, hash_bits=32), KVCanary(64, 4)
    cache.serve([[1, 2, 3, 4, 5, 6, 7, 8, 9]] * 3, canary)
    assert cache.allocate([1, 2, 3, 4, 5, 6, 7, 8, 9]).hit_tokens == 8


def test_the_tree_reads_right_where_the_weak_hash_does_not():
    rng = np.random.default_rng(0)
    manager, canary = KVCacheManager(CacheConfig(64, 4)), KVCanary(64, 4)
    for _ in range(requests_until_wrong(8)):
        sequence = manager.allocate(rng.integers(1_000, size=9).tolist())
        canary.write(sequence)
        canary.read(sequence)
        manager.commit(sequence, 9)
