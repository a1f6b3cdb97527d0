"""The naive twin: the same door, nothing shared. The control of every benchmark."""

import numpy as np
import pytest

from radixlab.cache import (
    NaiveManager,
    NumpyKVStore,
    OutOfBlocksError,
    PromptTooLargeError,
    SequenceError,
    TokenError,
)
from radixlab.config import CacheConfig
from tests.cache.helpers import refused, text


def naive(num_blocks: int = 16) -> NaiveManager:
    return NaiveManager(CacheConfig(num_blocks, 4))


def test_equal_prompts_share_nothing():
    manager = naive()
    first, second = (manager.allocate(text("ab.")) for _ in range(2))
    assert not set(first.block_table.tolist()) & set(second.block_table.tolist())
    assert (second.hit_tokens, manager.stats().num_unique_blocks) == (0, 6)


def test_a_commit_registers_nothing():
    manager = naive()
    manager.commit(manager.allocate(text("ab.")), 9)
    assert manager.allocate(text("ab.")).hit_tokens == 0
    assert (manager.stats().num_cached_blocks, manager.stats().sharing_ratio) == (0, 0.0)


def test_a_fork_copies_every_block_now():
    "C2"
    manager, store = naive(), NumpyKVStore(16, 4)
    parent = manager.allocate(text("ab."))
    store.data[parent.block_table] = np.arange(12).reshape(3, 4)
    child = manager.fork(parent, 6)
    store.run(child.copies)
    assert store.data[child.block_table].ravel().tolist() == list(range(8))
    assert not set(parent.block_table.tolist()) & set(child.block_table.tolist())
    assert manager.stats().copied_blocks == 2


def test_a_sequence_grows_block_by_block():
    manager = naive()
    sequence = manager.allocate(text("a"))
    sizes = []
    for _ in range(5):
        assert manager.append(sequence, [1]) == manager.prepare_write(sequence, 0, 5) == []
        sizes.append(len(sequence.block_table))
    assert sizes == [2, 2, 2, 2, 3]


def test_reserved_blocks_are_taken_at_once():
    assert len(naive().allocate(text("a."), reserve_tokens=4).block_table) == 3


@pytest.mark.parametrize("end", ["release", "abort"])
def test_every_block_is_freed_once(end):
    "L8 L9"
    manager = naive()
    sequence = manager.allocate(text("ab."))
    child = manager.fork(sequence)
    for each in (sequence, child):
        getattr(manager, end)(each)
        with refused(SequenceError):
            manager.release(each)
    assert manager.stats().num_free_blocks == 16


def test_a_call_that_fails_changes_nothing():
    "L7 C5"
    manager = naive(num_blocks=3)
    sequence = manager.allocate(text("ab"))
    calls = (
        lambda: manager.allocate(text("ab")),
        lambda: manager.append(sequence, text("ab")),
        lambda: manager.fork(sequence),
    )
    for call in calls:
        with pytest.raises(OutOfBlocksError):
            call()
    assert (sequence.num_tokens, manager.stats().num_free_blocks) == (8, 1)


def test_bad_prompts_are_refused_as_by_the_real_one():
    manager = naive(num_blocks=2)
    with refused(TokenError, 0):
        manager.allocate([])
    with refused(PromptTooLargeError, 9, 3, 2):
        manager.allocate(text("ab."))
    with refused(SequenceError, 9, 4):
        manager.fork(manager.allocate(text("a")), 9)


def test_it_counts_what_it_was_asked():
    manager = naive()
    for prompt in ("ab.", "ab."):
        manager.release(manager.allocate(text(prompt)))
    stats = manager.stats()
    assert (stats.num_requests, stats.prompt_tokens, stats.token_hit_rate) == (2, 18, 0.0)
