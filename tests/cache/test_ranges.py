"""Ranges of positions: an empty one is nothing, wherever it is, and a slot may be beyond int32."""

import numpy as np
import pytest

from radixlab.cache import (
    BlockAllocator,
    CacheConfig,
    CacheError,
    CountError,
    KVCacheManager,
    NaiveManager,
    NumpyKVStore,
    RadixTree,
    match_batch,
)
from radixlab.observe import snapshot
from radixlab.observe.codec import CompressedIds
from tests.cache.helpers import Checked, ids, refused, start, text


def shared():
    """A sequence over blocks of the tree, with a fork that shares its private ones."""
    lab = Checked()
    sequence = start(lab, "ab...")
    return lab, sequence, lab.fork(sequence)


@pytest.mark.parametrize("at", range(12))
def test_an_empty_range_is_prepared_by_doing_nothing(at):
    "C3: in a block of the tree, at its edge, in a shared one, and at the end"
    lab, sequence, fork = shared()
    for one in (sequence, fork):
        before, num_events = snapshot(lab.manager), len(lab.events)
        assert lab.prepare_write(one, at, at) == []
        assert (snapshot(lab.manager), len(lab.events)) == (before, num_events)


@pytest.mark.parametrize("empty", [[], (), np.empty(0, np.int32), np.empty(0, np.int64), range(0)])
@pytest.mark.parametrize("drawing", ["a", "a.", "ab...", "...", "abc"])
def test_to_append_nothing_copies_nothing(empty, drawing):
    "C3: to a fork too, in a full block and in one that is begun"
    lab = Checked()
    sequence = start(lab, drawing)
    for one in (lab.fork(sequence), sequence, lab.fork(sequence, 1)):
        before, num_events = snapshot(lab.manager), len(lab.events)
        assert lab.append(one, empty) == []
        assert (snapshot(lab.manager), len(lab.events)) == (before, num_events)


def test_to_append_nothing_needs_no_block():
    lab = Checked(num_blocks=2)
    sequence = start(lab, "a.")
    fork = lab.fork(sequence)
    assert lab.append(fork, []) == []


def sequences():
    lab, sequence, _ = shared()
    naive = NaiveManager(CacheConfig(16, 4))
    return [(lab, sequence), (naive, naive.allocate(text("ab...")))]


@pytest.mark.parametrize(
    ("first", "stop"), [(-1, 0), (-1, -1), (5, 4), (0, 12), (12, 12), (99, 99)]
)
def test_a_range_that_is_not_there_is_refused(first, stop):
    for door, sequence in sequences():
        with pytest.raises(CacheError):
            door.prepare_write(sequence, first, stop)
        assert door.prepare_write(sequence, 11, 11) == []


def test_nothing_is_nothing_everywhere():
    lab, sequence, _ = shared()
    before = snapshot(lab.manager)
    assert lab.evict(0) == 0
    for call in (lab.manager.evict, lab.manager.tree.evict):
        with refused(CountError, "num_blocks must be 0 or more"):
            call(-1)
    lab.complete([])
    lab.complete(iter(()))
    lab.commit(sequence, 0)
    lab.commit(sequence, 11, max_tokens=0)
    lab.canary.write(sequence, 3, 3)
    lab.canary.read(sequence, 0)
    assert sequence.slots(2, 2, 4).tolist() == []
    assert snapshot(lab.manager) == before

    tree, pool, store = RadixTree(4), BlockAllocator(4), NumpyKVStore(2, 4)
    assert (
        tree.insert([], []).block_ids.tolist() == tree.insert([1], ids()).block_ids.tolist() == []
    )
    assert tree.match_prefix([]).block_ids.tolist() == tree.evict(0).tolist() == []
    assert match_batch(tree, []) == []
    for call in (pool.free, pool.share, pool.unshare):
        call([])
        call(ids())
    assert (pool.allocate(0).tolist(), pool.num_free) == ([], 4)
    store.write([], [])
    store.run([])
    assert store.read([]).tolist() == store.read(ids()).tolist() == []
    assert CompressedIds.encode(ids()).decode().tolist() == []


# ---- slots


@pytest.mark.parametrize("block_size", [16, 2**20, 2**28, 2**30, 2**31 - 1])
@pytest.mark.parametrize("block", [0, 1, 7, 2**27, 2**28 - 1])
def test_a_slot_is_block_times_size_plus_offset_however_large(block, block_size):
    manager = KVCacheManager(CacheConfig(4, block_size))
    sequence = manager.allocate([1, 2, 3])
    sequence.block_table = ids(block)
    ends = {0, min(3, block_size), block_size - 1}
    for first in ends:
        slots = sequence.slots(first, first + 1, block_size)
        assert slots.tolist() == [block * block_size + first]
        assert slots.dtype == (np.int64 if slots[0] > 2**31 - 1 else np.int32)


def test_slots_beyond_the_table_are_refused():
    sequence = KVCacheManager(CacheConfig(4, 4)).allocate([1, 2, 3])
    for first, stop in ((0, 5), (5, 5), (-1, 1), (2, 1), (2**40, 2**40 + 1)):
        with pytest.raises(CacheError, match=f"{first}, {stop}"):
            sequence.slots(first, stop, 4)


def test_a_third_block_of_a_gigatoken_does_not_wrap():
    "Three prompts in blocks of 2^30 tokens: the third is beyond int32"
    manager = KVCacheManager(CacheConfig(3, 2**30))
    slots = [manager.allocate([n]).slots(0, 1, 2**30).tolist() for n in range(3)]
    assert slots == [[0], [2**30], [2**31]]
