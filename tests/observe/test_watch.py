"""`watch` draws any tree of the protocol: the engine's, a learner's unlike it, and a buggy one."""

import numpy as np
import pytest

from radixlab.cache import LockError, RadixTree
from radixlab.events import BlockRemoved, BlockStored, NodeLocked, NodeSplit, TreeResynced
from radixlab.observe import State, attach, fold, snapshot, watch
from tests.cache.helpers import ids
from tests.observe.simple_tree import SimpleTree

TREES = {
    "the engine's": RadixTree,
    "a learner's": SimpleTree,
    "leaf-only lock": lambda block_size: SimpleTree(block_size, "locks the leaf only"),
    "orphans": lambda block_size: SimpleTree(block_size, "evicts inner nodes"),
}


class Viewer:
    """What a view knows: the fold over everything a watched tree says."""

    def __init__(self, tree, num_blocks: int = 64) -> None:
        self.events, self.state = [], State(num_blocks, tree.block_size)
        self.tree = watch(tree, tree.block_size, num_blocks, self.hear)

    def hear(self, event) -> None:
        assert event.seq == len(self.events)
        self.events.append(event)
        fold(self.state, event)

    def happened(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


def use(tree, seed: int, num_calls: int = 50):
    """Call a tree at random, as its protocol allows; yield after each call."""
    random, receipts, next_id = np.random.default_rng(seed), [], 0
    for _ in range(num_calls):
        tokens = random.integers(1, 3, random.integers(0, 9)).tolist()
        namespace = (None, ("salt", "x"))[random.integers(2)]
        call = random.choice(["insert", "insert", "match", "peek", "lock", "unlock", "evict"])
        if call == "insert":
            num = len(tokens) // 2
            tree.insert(tokens, np.arange(next_id, next_id + num, dtype=np.int32), namespace)
            next_id += num
        elif call == "match":
            tree.match_prefix(tokens, namespace)
        elif call == "peek":
            tree.peek(tokens, namespace)
        elif call == "lock":
            receipts.append(tree.lock(tree.match_prefix(tokens, namespace).node))
        elif call == "unlock" and receipts:
            tree.unlock(receipts.pop(int(random.integers(len(receipts)))))
        elif call == "evict":
            tree.evict(int(random.integers(0, 4)))
        yield call


@pytest.mark.parametrize("make", TREES.values(), ids=TREES)
@pytest.mark.parametrize("seed", range(8))
def test_the_fold_equals_the_tree_after_every_call(make, seed):
    "T5"
    viewer = Viewer(make(2))
    for call in use(viewer.tree, seed):
        assert viewer.state.nodes == snapshot(viewer.tree).nodes, call


def test_a_snapshot_counts_what_went_as_the_fold_does():
    "T6: or a view that starts from a keyframe tells another number"
    viewer = Viewer(RadixTree(2))
    viewer.tree.insert([1, 1, 2, 2], ids(0, 1))
    viewer.tree.evict(1)
    assert snapshot(viewer.tree) == viewer.state
    assert viewer.state.evicted_blocks == 1


@pytest.mark.parametrize("name", ["the engine's", "a learner's"])
def test_a_correct_tree_is_told_in_ordinary_events(name):
    "T5"
    told = set()
    for seed in range(8):
        viewer = Viewer(TREES[name](2))
        list(use(viewer.tree, seed))
        told |= set(viewer.happened())
    told -= {"NodeSplit"}
    assert told == {"BlockStored", "BlockRemoved", "NodeLocked", "NodeUnlocked"}


def test_both_trees_hold_the_same_prefixes():
    ours, theirs = RadixTree(2), SimpleTree(2)
    for tree in (ours, theirs):
        for start, tokens in enumerate(([1, 1, 2, 2], [1, 1, 3, 3], [4, 4, 4, 4])):
            tree.insert(tokens, np.arange(2 * start, 2 * start + 2, dtype=np.int32))
    for tokens in ([1, 1, 2, 2, 9], [1, 1, 3, 3], [4, 4], [4, 4, 1, 1], [9]):
        assert ours.peek(tokens).tolist() == theirs.peek(tokens).tolist()


@pytest.mark.parametrize("make", TREES.values(), ids=TREES)
def test_what_a_tree_holds_already_is_drawn_first(make):
    "T5: a start in mid-run"
    tree = make(2)
    tree.lock(tree.insert([1, 1, 2, 2], ids(0, 1)).node)
    viewer = Viewer(tree)
    assert viewer.state == snapshot(viewer.tree)
    assert len(viewer.state.nodes) == len(list(tree.walk())) > 0


def test_a_listener_may_come_later():
    "T5"
    viewer = Viewer(SimpleTree(2))
    viewer.tree.insert([1, 1], ids(0))
    state = snapshot(viewer.tree)
    attach(viewer.tree, lambda event: fold(state, event))
    viewer.tree.insert([1, 1, 2, 2], ids(0, 1))
    assert state == viewer.state == snapshot(viewer.tree)


def test_a_split_is_told_as_a_split():
    "T5 M5"
    viewer = Viewer(RadixTree(2))
    viewer.tree.lock(viewer.tree.insert([1, 1, 2, 2, 3, 3], ids(0, 1, 2)).node)
    viewer.tree.match_prefix([1, 1])
    assert isinstance(viewer.events[-1], NodeSplit)
    assert viewer.events[-1].num_blocks == 1


def test_an_insertion_of_two_levels_names_known_parents():
    "T5"
    viewer = Viewer(SimpleTree(2))
    viewer.tree.insert([1, 1, 2, 2, 3, 3], ids(0, 1, 2))
    stored = [event for event in viewer.events if isinstance(event, BlockStored)]
    assert [event.parent_id for event in stored] == [None, stored[0].node_id, stored[1].node_id]


def test_a_removal_goes_from_the_bottom_up():
    "E1 T5"
    viewer = Viewer(SimpleTree(2))
    viewer.tree.insert([1, 1, 2, 2, 3, 3], ids(0, 1, 2))
    viewer.tree.evict(3)
    removed = [event for event in viewer.events if isinstance(event, BlockRemoved)]
    assert [event.block_runs[0][0] for event in removed] == [2, 1, 0]


def test_a_lock_on_the_whole_path_is_one_event():
    "L1"
    viewer = Viewer(SimpleTree(2))
    node = viewer.tree.insert([1, 1, 2, 2], ids(0, 1)).node
    before = len(viewer.events)
    viewer.tree.lock(node)
    (locked,) = viewer.events[before:]
    assert isinstance(locked, NodeLocked)
    assert [node.lock_ref for node in viewer.state.nodes.values()] == [1, 1]


def test_a_lock_that_forgets_the_ancestors_is_drawn_as_it_is():
    "L1: the learner sees the 0 on the parent"
    viewer = Viewer(SimpleTree(2, "locks the leaf only"))
    viewer.tree.lock(viewer.tree.insert([1, 1, 2, 2], ids(0, 1)).node)
    assert [node.lock_ref for node in viewer.state.nodes.values()] == [0, 1]


def test_an_orphan_is_drawn_as_it_is():
    "E2: the child whose parent is gone stays, and can still be locked"
    viewer = Viewer(SimpleTree(2, "evicts inner nodes"))
    leaf = viewer.tree.insert([1, 1, 2, 2], ids(0, 1)).node
    viewer.tree.evict(1)
    viewer.tree.lock(leaf)
    (orphan,) = viewer.state.nodes.values()
    assert (orphan.tokens, orphan.lock_ref) == ([2, 2], 1)


def test_a_peek_that_changes_something_shows():
    "M4"
    tree = SimpleTree(2)
    viewer = Viewer(tree)
    viewer.tree.insert([1, 1], ids(0))
    next(tree.walk())
    tree.peek = lambda tokens, namespace=None: tree.insert([2, 2], ids(1)).block_ids
    viewer.tree.peek([1, 1])
    assert [node.tokens for node in viewer.state.nodes.values()] == [[1, 1], [2, 2]]


def test_tokens_that_change_under_a_node_are_resynced():
    "M8"
    tree = SimpleTree(2)
    viewer = Viewer(tree)
    viewer.tree.insert([1, 1], ids(0))
    next(tree._blocks()).tokens = (9, 9)
    viewer.tree.peek([1, 1])
    assert isinstance(viewer.events[-1], TreeResynced)
    assert [node.tokens for node in viewer.state.nodes.values()] == [[9, 9]]


def test_an_error_of_the_tree_is_passed_on_and_what_it_did_is_drawn_next():
    "L2"
    viewer = Viewer(SimpleTree(2))
    receipt = viewer.tree.lock(viewer.tree.insert([1, 1], ids(0)).node)
    viewer.tree.unlock(receipt)
    with pytest.raises(LockError):
        viewer.tree.unlock(receipt)
    viewer.tree.peek([1, 1])
    assert viewer.state.nodes == snapshot(viewer.tree).nodes


def test_results_are_passed_on():
    viewer = Viewer(RadixTree(2))
    result = viewer.tree.insert([1, 1, 2, 2], ids(5, 6))
    assert result.block_ids.tolist() == [5, 6]
    assert viewer.tree.match_prefix([1, 1, 2, 2]).block_ids.tolist() == [5, 6]
    assert viewer.tree.trim(result.node, 1).tolist() == [6]
    assert viewer.tree.stats().num_cached_blocks == 1
    assert [view.block_ids for view in viewer.tree.walk()] == [(5,)]
