"""The pool of blocks: which are free, and how many hold each of the others."""

import numpy as np
import pytest

from radixlab.cache import BlockAllocator, BlockError, DoubleFreeError, OutOfBlocksError
from tests.cache.helpers import ids, refused


def pool(num_blocks: int = 8, num_taken: int = 0) -> BlockAllocator:
    allocator = BlockAllocator(num_blocks)
    allocator.allocate(num_taken)
    return allocator


def test_a_new_pool_is_free():
    allocator = pool(8)
    assert allocator.num_free == 8
    assert sorted(allocator.free_ids().tolist()) == list(range(8))


def test_every_block_is_handed_out_once():
    allocator = pool(8)
    assert sorted(np.concatenate([allocator.allocate(n) for n in (3, 0, 4, 1)]).tolist()) == [
        *range(8)
    ]
    assert allocator.num_free == 0


def test_ids_are_int32():
    assert pool().allocate(3).dtype == np.int32


def test_allocation_is_all_or_nothing():
    "C5 L7"
    allocator = pool(8, num_taken=6)
    with refused(OutOfBlocksError, 3, 2, 8):
        allocator.allocate(3)
    assert allocator.num_free == 2
    assert len(allocator.allocate(2)) == 2


def test_what_is_freed_is_handed_out_again():
    allocator = pool(4, num_taken=4)
    assert sorted(allocator.free(ids(2, 0)).tolist()) == [0, 2]
    assert sorted(allocator.allocate(2).tolist()) == [0, 2]


def test_the_ids_handed_out_are_the_callers_own():
    allocator = pool(4)
    taken = allocator.allocate(2)
    kept = taken.copy()
    allocator.free(taken)
    allocator.allocate(1)
    assert taken.tolist() == kept.tolist()


@pytest.mark.parametrize("block_ids", [(1,), (1, 2), (0, 1, 2, 3)])
def test_freeing_twice_raises_and_names_the_block(block_ids):
    "L10 (vLLM 42571, LMCache 5005)"
    allocator = pool(8, num_taken=4)
    allocator.free(ids(*block_ids))
    with refused(DoubleFreeError, "block", block_ids[0]):
        allocator.free(ids(*block_ids))
    assert allocator.num_free == 4 + len(block_ids)


def test_a_block_named_twice_in_one_call_raises():
    "L10"
    allocator = pool(8, num_taken=4)
    with refused(DoubleFreeError, "block", 3):
        allocator.free(ids(1, 3, 3))
    assert sorted(allocator.free_ids().tolist()) == [4, 5, 6, 7]


def test_one_free_block_among_held_ones_spoils_the_call():
    "L10: and nothing has changed"
    allocator = pool(8, num_taken=4)
    with refused(DoubleFreeError, "block", 6):
        allocator.free(ids(0, 6, 1))
    assert [allocator.ref_count(block) for block in range(8)] == [1, 1, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("block_ids", [(8,), (-1,), (0, 8), (-1, 0), (2**31 - 1, 1), (-(2**31), 1)])
def test_a_block_outside_the_pool_raises_and_is_named(block_ids):
    allocator = pool(8, num_taken=4)
    outside = next(block for block in block_ids if not 0 <= block < 8)
    with refused(BlockError, outside, 8):
        allocator.free(ids(*block_ids))
    assert allocator.num_free == 4


def test_more_ids_than_blocks_raise():
    "L10"
    allocator = pool(4, num_taken=4)
    with refused(DoubleFreeError, "block", 0):
        allocator.free(ids(0, 1, 2, 3, 0))
    assert allocator.num_free == 0


def test_freeing_nothing_is_nothing():
    allocator = pool(4, num_taken=1)
    assert allocator.free(ids()).tolist() == []
    assert allocator.num_free == 3


def test_a_shared_block_is_free_after_its_last_holder():
    "C6"
    allocator = pool(4, num_taken=2)
    allocator.share(ids(0))
    allocator.share(ids(0))
    freed = [allocator.free(ids(0, 1)).tolist(), *(allocator.free(ids(0)).tolist() for _ in "ab")]
    assert freed == [[1], [], [0]]
    with refused(DoubleFreeError, "block", 0):
        allocator.free(ids(0))


def test_ref_count_counts_holders():
    "C1"
    allocator = pool(4, num_taken=2)
    allocator.share(ids(1))
    assert [allocator.ref_count(block) for block in range(4)] == [1, 2, 0, 0]
    allocator.unshare(ids(1))
    assert [allocator.ref_count(block) for block in range(4)] == [1, 1, 0, 0]


def test_a_double_free_of_a_shared_block_names_it():
    "L10"
    allocator = pool(4, num_taken=3)
    allocator.share(ids(1))
    with refused(DoubleFreeError, "block", 1):
        allocator.free(ids(1, 1))
    assert [allocator.ref_count(block) for block in range(4)] == [1, 2, 1, 0]


def test_reset_frees_all():
    allocator = pool(4, num_taken=3)
    allocator.share(ids(1))
    allocator.reset()
    assert allocator.num_free == 4
    assert [allocator.ref_count(block) for block in range(4)] == [0] * 4


def test_random_use_agrees_with_a_set():
    "L9 L10"
    random, allocator, held = np.random.default_rng(0), pool(32), set()
    for _ in range(500):
        if random.random() < 0.5 and held:
            chosen = random.permutation(sorted(held))[: random.integers(1, len(held) + 1)]
            allocator.free(chosen.astype(np.int32))
            held -= set(chosen.tolist())
        else:
            held |= set(allocator.allocate(int(random.integers(0, 33 - len(held)))).tolist())
        assert set(allocator.free_ids().tolist()) == set(range(32)) - held
        assert [allocator.is_free(block) for block in range(32)] == [
            b not in held for b in range(32)
        ]
