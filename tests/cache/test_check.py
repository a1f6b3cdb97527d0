"""`check` is the first oracle, so it is tested by breaking what it guards: it names the culprit."""

import pytest

from radixlab.cache import InvariantError, KVCacheManager, check
from radixlab.config import CacheConfig
from tests.cache.helpers import ids, node, numbers_agree, text


def served() -> KVCacheManager:
    """A manager with two running sequences, `ab.` and `ac.`."""
    manager = KVCacheManager(CacheConfig(16, 4))
    for prompt in ("ab.", "ac."):
        manager.commit(manager.allocate(text(prompt)), 9)
    check(manager)
    return manager


def assert_found(manager: KVCacheManager, pattern: str) -> None:
    with pytest.raises(InvariantError, match=pattern) as error:
        check(manager)
    assert numbers_agree(str(error.value)), error.value


def test_a_leaked_block_is_found():
    "L9"
    manager = served()
    (block,) = manager.allocator.allocate(1).tolist()
    assert_found(manager, rf"block {block}\b.*leaked")


def test_a_block_with_two_owners_is_found():
    "L10"
    manager = served()
    first, second = manager.sequences.values()
    second.block_table[2] = first.block_table[2]
    assert_found(manager, rf"block {first.block_table[2]}\b")


@pytest.mark.parametrize("index", [0, 2], ids=["of the tree", "private"])
def test_a_block_freed_in_use_is_found(index):
    "L10"
    manager = served()
    block = int(manager.sequences[0].block_table[index])
    manager.allocator.free(ids(block))
    assert_found(manager, rf"block {block}\b")


def test_a_share_that_nobody_holds_is_found():
    "C1"
    manager = served()
    manager.allocator.share(ids(int(manager.sequences[0].block_table[2])))
    assert_found(manager, rf"block {manager.sequences[0].block_table[2]}\b.*2")


def test_a_receipt_that_nobody_holds_is_found():
    "L2"
    manager = served()
    leaf = node(manager.tree, "ab")
    manager.tree.lock(leaf)
    assert_found(manager, rf"node {leaf.id}\b.*receipts")


@pytest.mark.parametrize("num_sequences", [0, 1, 2])
@pytest.mark.parametrize("num_receipts", [0, 1, 2])
def test_the_sentence_about_receipts_agrees_with_their_number(num_sequences, num_receipts):
    "L2"
    if num_sequences == num_receipts:
        return
    manager = KVCacheManager(CacheConfig(16, 4))
    for _ in range(num_sequences):
        manager.commit(manager.allocate(text("ab.")), 9)
    leaf = (
        node(manager.tree, "ab")
        if num_sequences
        else manager.tree.insert(text("ab"), ids(1, 2)).node
    )
    leaf.num_receipts = num_receipts
    assert_found(manager, f"has {num_receipts} receipts?, {num_sequences} (is|are) held")


def test_a_lock_given_back_by_a_running_sequence_is_found():
    "L2 L4"
    manager = served()
    manager.tree.unlock(manager.sequences[0].receipt)
    assert_found(manager, rf"node {manager.sequences[0].node.id}\b.*receipts")


def test_a_table_that_was_not_re_pointed_is_found():
    "M10"
    manager = served()
    manager.sequences[0].block_table[0] = 15
    assert_found(manager, "15")


def test_a_node_stored_behind_the_managers_back_is_found():
    "M8"
    manager = served()
    manager.tree.insert(text("x"), ids(15))
    assert_found(manager, r"block 15\b")


def test_an_evicted_block_that_was_not_freed_is_found():
    "E4"
    manager = served()
    manager.release(manager.sequences[1])
    (block,) = manager.tree.evict(1).tolist()
    assert_found(manager, rf"block {block}\b.*leaked")


def test_a_policy_that_hides_the_leaves_is_found():
    "L3"
    manager = served()
    manager.release(manager.sequences[1])
    manager.tree.policy.victim = lambda: None
    assert_found(manager, "victim")


def test_all_problems_are_told_at_once():
    manager = served()
    blocks = manager.allocator.allocate(2).tolist()
    with pytest.raises(InvariantError) as caught:
        check(manager)
    assert all(f"block {block} " in str(caught.value) for block in blocks)
