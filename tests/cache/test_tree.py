"""The radix tree alone: what a match finds, what an insertion leaves, what a split keeps."""

from itertools import permutations

import numpy as np
import pytest

from radixlab.cache import BlockError, LockError, RadixTree
from radixlab.events import BlockRemoved, BlockStored, NodeSplit
from tests.cache.helpers import BLOCK_SIZE, drawn, ids, node, refused, text, tree

FOREST = "ab(c(d|e)|f)|g"


# ---- the drawings themselves


@pytest.mark.parametrize("drawing", ["", "a", "ab", "a|b", "ab(c|d)", FOREST])
def test_a_drawing_is_built_and_drawn_back(drawing):
    assert drawn(tree(drawing)) == drawing


# ---- a match


def test_a_match_is_the_longest_prefix_in_whole_blocks():
    "M2"
    assert tree(FOREST).match_prefix(text("abce.")).block_ids.tolist() == [0, 1, 2, 4]


def test_three_tokens_of_four_are_no_match():
    "M2: what agrees with less than one block of four is useless"
    found = tree("ab").match_prefix([*text("a"), ord("b"), ord("b"), ord("b"), 0])
    assert found.block_ids.tolist() == [0]
    assert tree("ab").match_prefix([ord("a")] * 3 + [0]).block_ids.tolist() == []


@pytest.mark.parametrize("tokens", [[], [97], text("z"), text("z.")])
def test_what_is_not_there_matches_the_root(tokens):
    "M3: an empty key, one below a block, an unknown one (SGLang PR 10637)"
    for namespace in (None, ("salt", "nobody")):
        radix_tree = tree("ab")
        match = radix_tree.match_prefix(tokens, namespace)
        assert match.block_ids.tolist() == []
        radix_tree.unlock(radix_tree.lock(match.node))
        assert drawn(radix_tree) == "ab"


def test_an_empty_tree_answers():
    "M3"
    radix_tree = RadixTree(BLOCK_SIZE)
    assert radix_tree.peek(text("ab")).tolist() == []
    assert radix_tree.match_prefix(text("ab")).block_ids.tolist() == []
    assert list(radix_tree.walk()) == []


def test_a_peek_changes_nothing():
    "M4"
    radix_tree = tree("abc")
    before = list(radix_tree.walk())
    assert radix_tree.peek(text("ax")).tolist() == [0]
    assert list(radix_tree.walk()) == before


def test_a_match_splits_where_it_ends_and_changes_no_time():
    "M4: locks can end there; time is the manager's business"
    radix_tree = tree("abc")
    match = radix_tree.match_prefix(text("ax"))
    assert (drawn(radix_tree), match.block_ids.tolist()) == ("a(bc)", [0])
    assert [view.tick for view in radix_tree.walk()] == [0, 0]


def test_a_match_at_the_end_of_a_node_splits_nothing():
    "M4"
    radix_tree = tree("ab(c|d)")
    assert radix_tree.match_prefix(text("abx")).block_ids.tolist() == [0, 1]
    assert drawn(radix_tree) == "ab(c|d)"


def test_children_are_told_apart_by_their_whole_first_block():
    "M7: not by the first token"
    radix_tree = RadixTree(BLOCK_SIZE)
    for i in range(3):
        radix_tree.insert([7, 7, 7, i], ids(i))
    assert [radix_tree.peek([7, 7, 7, i]).tolist() for i in range(4)] == [[0], [1], [2], []]


def test_a_block_size_of_one_is_a_tree_of_tokens():
    radix_tree = RadixTree(1)
    radix_tree.insert([1, 2, 3], ids(0, 1, 2))
    assert radix_tree.match_prefix([1, 2, 4]).block_ids.tolist() == [0, 1]
    assert radix_tree.num_nodes == 2


# ---- a split


def test_a_split_keeps_blocks_and_tokens_in_order():
    "M5"
    radix_tree = tree("abcd")
    radix_tree.match_prefix(text("ab"))
    upper, lower = radix_tree.walk()
    assert (list(upper.tokens), list(lower.tokens)) == (text("ab"), text("cd"))
    assert (upper.block_ids, lower.block_ids) == ((0, 1), (2, 3))
    assert (upper.parent_id, lower.parent_id) == (None, upper.id)


def test_a_split_keeps_the_lock_on_both_halves():
    "M5"
    radix_tree = tree("abcd")
    receipt = radix_tree.lock(node(radix_tree, "abcd"))
    radix_tree.match_prefix(text("ab"))
    assert drawn(radix_tree, locks=True) == "ab1(cd1)"
    radix_tree.unlock(receipt)
    assert drawn(radix_tree, locks=True) == "ab0(cd0)"


def test_a_split_leaves_an_unlocked_node_unlocked():
    "M5 L3 (mllm 656: the evictable size went negative after a split)"
    radix_tree = tree("abcd")
    radix_tree.match_prefix(text("ab"))
    assert sorted(radix_tree.evict(9).tolist()) == [0, 1, 2, 3]


def test_a_split_keeps_the_children_below_the_lower_half():
    "M5"
    radix_tree = tree("abc(d|e)")
    radix_tree.match_prefix(text("a"))
    assert drawn(radix_tree) == "a(bc(d|e))"
    assert radix_tree.peek(text("abce")).tolist() == [0, 1, 2, 4]


def test_a_split_keeps_hits_and_time_on_both_halves():
    "M5"
    radix_tree = tree("abcd")
    radix_tree.hit(node(radix_tree, "abcd"), 5)
    radix_tree.match_prefix(text("ab"))
    assert [(view.num_hits, view.tick) for view in radix_tree.walk()] == [(1, 5), (1, 5)]


def test_a_handle_taken_before_a_split_covers_the_same_blocks():
    "M6: match A, split by B, release A"
    radix_tree = tree("abcd")
    handle = radix_tree.match_prefix(text("abcd")).node
    receipt = radix_tree.lock(handle)
    radix_tree.match_prefix(text("a"))
    radix_tree.match_prefix(text("abc"))
    assert drawn(radix_tree, locks=True) == "a1(bc1(d1))"
    assert radix_tree.evict(9).tolist() == []
    radix_tree.unlock(receipt)
    assert drawn(radix_tree, locks=True) == "a0(bc0(d0))"


def test_a_handle_may_be_locked_after_a_split():
    "M6"
    radix_tree = tree("abcd")
    handle = radix_tree.match_prefix(text("abcd")).node
    radix_tree.match_prefix(text("ab"))
    radix_tree.lock(handle)
    assert drawn(radix_tree, locks=True) == "ab1(cd1)"


def test_a_split_is_told_once():
    "T5"
    radix_tree, events = tree("abcd"), []
    radix_tree.log.emit = events.append
    radix_tree.match_prefix(text("abx"))
    (split,) = events
    assert isinstance(split, NodeSplit)
    upper, lower = radix_tree.walk()
    assert (split.upper_id, split.node_id, split.num_blocks) == (upper.id, lower.id, 2)


# ---- an insertion


def test_an_insertion_adds_only_what_is_missing():
    radix_tree = tree("ab")
    result = radix_tree.insert(text("abc"), ids(0, 1, 9))
    assert (drawn(radix_tree), result.num_cached_blocks) == ("ab(c)", 2)
    assert result.block_ids.tolist() == [0, 1, 9]
    assert result.duplicate_block_ids.tolist() == []


def test_a_duplicate_is_named_and_the_trees_blocks_are_given_back():
    "M10"
    result = tree("ab").insert(text("abc"), ids(7, 8, 9))
    assert result.block_ids.tolist() == [0, 1, 9]
    assert result.duplicate_block_ids.tolist() == [7, 8]
    assert result.num_cached_blocks == 2


def test_only_ids_that_differ_are_duplicates():
    "M10: freeing an id that the tree kept would be a use after free"
    assert tree("ab").insert(text("ab"), ids(0, 8)).duplicate_block_ids.tolist() == [8]


def test_a_partial_block_never_enters():
    "M12"
    radix_tree = RadixTree(BLOCK_SIZE)
    result = radix_tree.insert(text("ab..."), ids(0, 1))
    assert (drawn(radix_tree), result.block_ids.tolist()) == ("ab", [0, 1])
    assert radix_tree.insert(text("..."), ids()).block_ids.tolist() == []
    assert drawn(radix_tree) == "ab"


def test_inserting_twice_is_inserting_once():
    "M9"
    radix_tree = tree(FOREST)
    before = list(radix_tree.walk())
    for path, blocks in (("abcd", (0, 1, 2, 3)), ("g", (6,)), ("ab", (0, 1))):
        radix_tree.insert(text(path), ids(*blocks))
    assert list(radix_tree.walk()) == before


@pytest.mark.parametrize("order", list(permutations(("abcd", "ab", "abce", "abx"))))
def test_the_order_of_insertions_does_not_matter(order):
    "M9"
    radix_tree, next_id = RadixTree(BLOCK_SIZE), 0
    for path in order:
        radix_tree.insert(text(path), np.arange(next_id, next_id + len(path), dtype=np.int32))
        next_id += len(path)
    assert drawn(radix_tree) == "ab(c(d|e)|x)"


def test_equal_blocks_after_different_prefixes_are_different_entries():
    "K4"
    radix_tree = tree("a(x)|b(x)")
    assert radix_tree.peek(text("ax")).tolist() == [0, 1]
    assert radix_tree.peek(text("bx")).tolist() == [2, 3]
    assert radix_tree.peek(text("x")).tolist() == []


def test_the_tree_keeps_its_own_copy_of_the_ids():
    mine = ids(4, 5)
    radix_tree = RadixTree(BLOCK_SIZE)
    radix_tree.insert(text("ab"), mine)
    mine[:] = 0
    assert radix_tree.peek(text("ab")).tolist() == [4, 5]


def test_a_stored_node_names_a_parent_that_is_known():
    "T5"
    radix_tree, events = RadixTree(BLOCK_SIZE), []
    radix_tree.log.emit = events.append
    for path in ("abc", "abd", "abde", "z"):
        radix_tree.insert(text(path), np.arange(len(path), dtype=np.int32))
    known = {None}
    for event in events:
        known.add(event.upper_id if isinstance(event, NodeSplit) else event.node_id)
        assert not isinstance(event, BlockStored) or event.parent_id in known


# ---- locks


def test_a_lock_covers_the_node_and_all_its_ancestors():
    "L1 (mini-sglang PR 52: the loop skipped the handle's own node)"
    radix_tree = tree(FOREST)
    radix_tree.lock(node(radix_tree, "abcd"))
    assert drawn(radix_tree, locks=True) == "ab1(c1(d1|e0)|f0)|g0"


def test_locks_count_receipts_at_or_below():
    "L1"
    radix_tree = tree(FOREST)
    receipts = [radix_tree.lock(node(radix_tree, path)) for path in ("abcd", "abce", "ab", "ab")]
    assert drawn(radix_tree, locks=True) == "ab4(c2(d1|e1)|f0)|g0"
    radix_tree.unlock(receipts[2])
    assert drawn(radix_tree, locks=True) == "ab3(c2(d1|e1)|f0)|g0"


def test_a_receipt_is_good_for_one_unlock():
    "L2"
    radix_tree = tree("ab")
    first, second = (radix_tree.lock(node(radix_tree, "ab")) for _ in range(2))
    radix_tree.unlock(first)
    with refused(LockError, first.node.id):
        radix_tree.unlock(first)
    assert drawn(radix_tree, locks=True) == "ab1"
    radix_tree.unlock(second)
    with refused(LockError):
        radix_tree.unlock(second)
    assert drawn(radix_tree, locks=True) == "ab0"


def test_a_lock_protects_exactly_its_path():
    "L4"
    radix_tree = tree(FOREST)
    radix_tree.lock(node(radix_tree, "abce"))
    assert sorted(radix_tree.evict(99).tolist()) == [3, 5, 6]
    assert drawn(radix_tree) == "ab(c(e))"


def test_an_evicted_node_cannot_be_locked():
    "L11"
    radix_tree = tree("ab")
    handle = node(radix_tree, "ab")
    radix_tree.evict(2)
    with refused(LockError, handle.id, "gone"):
        radix_tree.lock(handle)


def test_a_locked_tree_refuses_to_be_cleared():
    "L11"
    radix_tree = tree("ab")
    receipt = radix_tree.lock(node(radix_tree, "ab"))
    with refused(LockError):
        radix_tree.clear()
    radix_tree.unlock(receipt)
    radix_tree.clear()
    assert list(radix_tree.walk()) == []


# ---- removal


def test_leaves_go_and_a_parent_follows_its_last_child():
    "E1: chain of three"
    radix_tree = tree("a(b(c))")
    assert [radix_tree.evict(1).tolist() for _ in range(4)] == [[2], [1], [0], []]


def test_no_block_is_ever_an_orphan():
    "E2"
    radix_tree = tree(FOREST)
    for _ in range(7):
        radix_tree.evict(1)
        views = {view.id: view for view in radix_tree.walk()}
        assert all(view.parent_id is None or view.parent_id in views for view in views.values())


def test_a_leaf_is_trimmed_from_its_tail():
    "E1"
    radix_tree = tree("abc")
    assert radix_tree.trim(node(radix_tree, "abc"), 2).tolist() == [1, 2]
    assert drawn(radix_tree) == "a"
    assert radix_tree.peek(text("abc")).tolist() == [0]


def test_a_trimmed_leaf_grows_again():
    radix_tree = tree("abc")
    radix_tree.trim(node(radix_tree, "abc"), 1)
    result = radix_tree.insert(text("abx"), ids(0, 1, 9))
    assert (drawn(radix_tree), result.num_cached_blocks) == ("ab(x)", 2)


@pytest.mark.parametrize("path", ["ab", "abc", ""], ids=["inner", "locked", "root"])
def test_only_an_unlocked_leaf_can_be_trimmed(path):
    "E1 L4"
    radix_tree = tree("ab(c|d)")
    radix_tree.lock(node(radix_tree, "abc"))
    with refused(LockError, node(radix_tree, path).id):
        radix_tree.trim(node(radix_tree, path), 1)
    assert drawn(radix_tree) == "ab(c|d)"


@pytest.mark.parametrize("num_blocks", [0, -1, 4])
def test_a_trim_of_blocks_it_does_not_have_raises(num_blocks):
    radix_tree = tree("abc")
    with refused(BlockError, num_blocks, 3):
        radix_tree.trim(node(radix_tree, "abc"), num_blocks)


@pytest.mark.parametrize("num_blocks", [0, 1, 3, 7, 99])
def test_evict_gives_up_what_it_is_asked_for_or_all_there_is(num_blocks):
    "E4 (SGLang 4987: the loop never counted)"
    radix_tree = tree(FOREST)
    gone = radix_tree.evict(num_blocks)
    assert len(gone) == len(set(gone.tolist())) == min(num_blocks, 7)
    assert sum(len(view.block_ids) for view in radix_tree.walk()) == 7 - len(gone)


def test_an_evicted_block_cannot_be_matched():
    "E6"
    radix_tree = tree("ab(c|d)")
    gone = set(radix_tree.evict(1).tolist())
    assert gone == {2}
    assert radix_tree.peek(text("abc")).tolist() == [0, 1]


def test_a_removal_is_told_with_its_blocks_and_the_reason():
    "E3"
    radix_tree, events = tree("abc"), []
    radix_tree.log.emit = events.append
    radix_tree.evict(2)
    (removed,) = events
    assert isinstance(removed, BlockRemoved)
    assert (removed.block_runs, removed.reason) == (((1, 2),), "least recent")


# ---- what others see


def test_walk_yields_parents_first_and_every_node_once():
    "M7"
    radix_tree, seen = tree(FOREST), {None}
    views = list(radix_tree.walk())
    for view in views:
        assert view.parent_id in seen
        seen.add(view.id)
        assert len(view.tokens) == len(view.block_ids) * BLOCK_SIZE > 0
    assert len(views) == len(seen) - 1 == radix_tree.num_nodes == 6


def test_siblings_never_share_their_first_block():
    "M7"
    firsts = [(view.parent_id, view.tokens[:BLOCK_SIZE]) for view in tree(FOREST).walk()]
    assert len(firsts) == len(set(firsts))


def test_the_tree_counts_blocks_by_the_receipts_that_hold_them():
    radix_tree = tree(FOREST)
    for path in ("abcd", "abce"):
        radix_tree.lock(node(radix_tree, path))
    stats = radix_tree.stats()
    assert (stats.num_nodes, stats.num_shared_blocks) == (6, 3)
    assert (stats.num_unique_blocks, stats.num_cached_blocks) == (2, 2)
    assert stats.sharing_ratio == 3 / 5
