"""Reuse inside a block: a copy, then the first k slots of it."""

import pytest

from radixlab.cache import CacheConfig, KVCacheManager, KVCanary, PolicyError, check
from radixlab.config import ConfigError
from radixlab.observe import fold_all, snapshot


def cached(text: str, num_blocks: int = 16, least: int = 1, **kwargs: object) -> KVCacheManager:
    """Return a manager in which `text` is cached, in blocks of 4, and nobody runs."""
    config = CacheConfig(num_blocks, block_size=4, partial_reuse_tokens=least)
    manager = KVCacheManager(config, **kwargs)
    first = manager.allocate(tokens(text))
    manager.commit(first, first.num_tokens)
    manager.release(first)
    return manager


def tokens(text: str) -> list[int]:
    return [ord(c) for c in text]


def test_the_tokens_that_agree_inside_a_block_are_reused():
    manager = cached("aaaabbbbcccc.")
    sequence = manager.allocate(tokens("aaaabbbX...."))
    (copy,) = sequence.copies
    assert (sequence.hit_tokens, manager.stats().partial_hit_tokens) == (7, 3)
    assert (copy.src, copy.dst) == (1, sequence.block_table[1]) and copy.src != copy.dst
    check(manager)
    manager.complete(sequence.copies)
    check(manager)


def test_the_best_of_several_children_is_copied():
    manager = cached("aaaabXXX.")
    for text in ("aaaabbXX.", "aaaabbbX.", "aaaacccc."):
        other = manager.allocate(tokens(text))
        manager.complete(other.copies)
        manager.commit(other, 9)
        manager.release(other)
    assert manager.allocate(tokens("aaaabbbb.")).hit_tokens == 7


def test_a_prompt_that_is_cached_whole_computes_one_token():
    "M1: with the copy, the last block of a cached prompt is not computed again but for one token"
    manager = cached("aaaabbbb")
    sequence = manager.allocate(tokens("aaaabbbb"))
    assert (sequence.hit_tokens, len(sequence.copies)) == (7, 1)


@pytest.mark.parametrize(("least", "hit"), [(0, 4), (3, 7), (4, 4)])
def test_fewer_tokens_than_configured_are_not_worth_a_copy(least, hit):
    manager = cached("aaaabbbb.", least=least)
    sequence = manager.allocate(tokens("aaaabbbX."))
    assert (sequence.hit_tokens, bool(sequence.copies)) == (hit, hit == 7)


def test_what_is_read_is_right_and_the_source_survives():
    "C1: the canary reads both the copier and, later, the source"
    config = CacheConfig(16, block_size=4, partial_reuse_tokens=1)
    manager, canary = KVCacheManager(config), KVCanary(16, 4)
    first = manager.allocate(tokens("aaaabbbb."))
    canary.write(first)
    manager.commit(first, 9)
    second = manager.allocate(tokens("aaaabbXX."))
    canary.run(second.copies)
    manager.complete(second.copies)
    canary.write(second)
    canary.read(second)
    canary.read(first)


def test_the_source_is_held_until_the_copy_is_complete():
    manager = cached("aaaabbbb.", num_blocks=5)
    sequence = manager.allocate(tokens("aaaabbXX."))
    assert manager.evict(5) == 0
    manager.complete(sequence.copies)
    assert manager.evict(5) == 1
    check(manager)


def test_no_room_for_the_source_means_no_reuse():
    "L7: a lock on the source must not make the request itself impossible"
    manager = cached("aaaabbbbcccc", num_blocks=4)
    sequence = manager.allocate(tokens("aaaabbXX....XXXX"))
    assert (sequence.hit_tokens, sequence.copies) == (4, [])
    check(manager)


def test_the_fold_equals_the_engine():
    manager = cached("aaaabbbbcccc.")
    state, events = snapshot(manager), []
    manager.emit = events.append
    sequence = manager.allocate(tokens("aaaabbbX...."))
    assert fold_all(state, events) == snapshot(manager)
    events.clear()
    manager.complete(sequence.copies)
    assert fold_all(state, events) == snapshot(manager)


def test_a_policy_that_fails_leaves_no_lock():
    class Broken:
        name, reason = "broken", "none"

        def __getattr__(self, hook):
            return lambda *_: None

    manager = cached("aaaabbbb.", num_blocks=3, policy=Broken())
    with pytest.raises(PolicyError, match="broken"):
        manager.allocate(tokens("XXXXXXXXXXXX"))
    assert manager.evict(0) == 0 and not manager.sequences
    assert not any(node.locked for node in manager.tree.nodes())


def test_a_negative_least_is_refused():
    with pytest.raises(ConfigError, match="-1"):
        CacheConfig(16, partial_reuse_tokens=-1)
