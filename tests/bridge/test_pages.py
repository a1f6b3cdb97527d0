"""A tree behind an engine that keeps the free list: ours, and right and wrong ones of learners."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixlab.bridge.errors import BrokenPartError, NotCarriedError
from radixlab.bridge.own_tree import OwnTree
from radixlab.bridge.pages import Offer
from radixlab.bridge.plugin import backends
from radixlab.bridge.slots import namespace_of, to_block_ids, to_slots
from radixlab.bridge.visit_order import visit_order
from radixlab.bridge.your_tree import YourTree
from radixlab.cache.errors import LockError
from tests.bridge.traffic import drive
from tests.grade.zoo import ZOOS

OURS = {name: make for name, make in backends().items() if name != "radixlab-yours"}
ZOO = ZOOS["8.5.1"]


def array(*tokens):
    return np.array(tokens, np.int64)


def ids(*block_ids):
    return np.array(block_ids, np.int32)


@pytest.mark.parametrize("block_size", [1, 4])
@pytest.mark.parametrize("name", OURS)
def test_every_backend_of_ours_answers_as_the_ledger_does(name, block_size):
    exact = name != "radixlab-whole-leaves"
    assert drive(OURS[name](block_size), seed=block_size, num_steps=60, exact=exact)


@given(st.integers(0, 2**32), st.sampled_from([1, 2, 3, 16]), st.booleans(), st.integers(10, 60))
@settings(max_examples=15, deadline=None)
def test_our_tree_behind_an_engine(seed, block_size, whole, num_pages):
    pages = OwnTree(block_size, whole_leaves=whole)
    drive(pages, seed, num_steps=40, num_pages=num_pages, exact=not whole)


def tree_of(text):
    return ZOO.loaded(text).RadixTree


@pytest.mark.parametrize("name", ZOO.right)
def test_a_right_tree_of_a_learner_serves(name):
    assert drive(YourTree(tree_of(ZOO.right[name]), 2), seed=1, num_steps=60)


def verdict(text):
    """What the bridge says of a tree under drawn traffic; "" if every answer was right."""
    for seed in range(3):
        try:
            drive(YourTree(tree_of(text), 1 + seed), seed, num_steps=40)
        except BrokenPartError as error:
            return str(error)
    return ""


CAUGHT = """a_list_of_leaves all_or_nothing counts_afterwards evicts_each_twice evicts_inner_nodes
evicts_locked_leaves keeps_what_it_evicts loses_the_suffix off_by_one_block whole_nodes"""


@pytest.mark.parametrize("name", CAUGHT.split())
def test_a_wrong_tree_is_out_of_service_before_the_engine_sees_a_wrong_answer(name):
    """`drive` holds every answer against a ledger of its own: a wrong one would fail there."""
    said = verdict(ZOO.wrong[name])
    assert said.startswith("your tree: ") and "\n" not in said


@pytest.mark.soak
def test_no_wrong_tree_gives_the_engine_a_wrong_answer():
    said = {name: verdict(text) for name, text in ZOO.wrong.items()}
    assert sum(map(bool, said.values())) >= 25  # the others lie where an engine does not ask


class Wrong:
    """A right tree, apart from one method."""

    def __init__(self, **methods):
        self.tree = tree_of(ZOO.right["flat_table"])(2)
        self.methods = methods

    def __getattr__(self, name):
        right = getattr(self.tree, name)
        change = self.methods.get(name)
        return right if change is None else lambda *args: change(self.tree, right, *args)


def shorter(tree, right, *args):
    answer = right(*args)
    return type(answer)(answer.node, answer.block_ids[:-1])


def longer(tree, right, *args):
    answer = right(*args)
    return type(answer)(answer.node, (*answer.block_ids, 9))


def swapped(tree, right, *args):
    answer = right(*args)
    return type(answer)(answer.node, tuple(reversed(answer.block_ids)))


def raises(tree, right, *args):
    raise KeyError("no such node\nat all")


class Lazy:
    """An answer that fails only when it is read."""

    @property
    def block_ids(self):
        raise OSError("not now")

    def __iter__(self):
        yield 6
        raise OSError("not now")


FAULTS = {
    "an answer that fails": ({"match_prefix": lambda *_: Lazy()}, "match_prefix raised OSError"),
    "ids that fail": ({"evict": lambda *_: iter(Lazy())}, "evict raised OSError: not now"),
    "a short match": ({"match_prefix": shorter}, "match_prefix of 4 tokens", "[5, 6]"),
    "a long match": ({"match_prefix": longer}, "block_ids = [5, 6, 9]", "[5, 6]"),
    "a swapped match": ({"match_prefix": swapped}, "block_ids = [6, 5]", "[5, 6]"),
    "no match at all": ({"match_prefix": lambda *_: None}, "block_ids = None", "[5, 6]"),
    "an exception": ({"match_prefix": raises}, "match_prefix raised KeyError: ", "no such node"),
    "too many evicted": ({"evict": lambda tree, right, n: right(n + 1)}, "evict(1)", "2 blocks"),
    "too few evicted": ({"evict": lambda tree, right, n: []}, "evict(1) returned 0 blocks", "1"),
    "a block of nobody": ({"evict": lambda *_: [77]}, "evict(1) returned block 77", "not have"),
    "a parent first": ({"evict": lambda *_: [5]}, "block 5", "kept a block that follows it"),
    "no numbers": ({"evict": lambda *_: ["a"]}, "evict(1) returned", "should be block ids"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_answer_is_named_and_ends_the_service(fault):
    methods, *says = FAULTS[fault]
    pages = YourTree(lambda block_size: Wrong(**methods), 2)
    pages.insert(Offer(array(1, 2, 3, 4), ids(5, 6)))
    with pytest.raises(BrokenPartError) as caught:
        list(pages.evict(1)) if "evict" in methods else pages.match(array(1, 2, 3, 4))
    assert all(each in str(caught.value) for each in ("your tree: ", *says)), caught.value
    assert "\n" not in str(caught.value)
    with pytest.raises(BrokenPartError, match="out of service"):
        pages.insert(Offer(array(9, 9), ids(1)))


def test_a_locked_block_is_not_evicted_by_a_tree_that_would():
    pages = YourTree(lambda size: Wrong(evict=lambda *_: [6]), 2)
    pages.lock(pages.insert(Offer(array(1, 2, 3, 4), ids(5, 6)))[0])
    pages.insert(Offer(array(7, 8), ids(1)))
    with pytest.raises(BrokenPartError, match="block 6, which is locked"):
        list(pages.evict(1))


def test_check_finds_in_walk_what_no_answer_showed():
    pages = YourTree(lambda size: Wrong(lock=lambda tree, right, node: right(0)), 2)
    pages.lock(pages.insert(Offer(array(1, 2), ids(5)))[0])
    with pytest.raises(BrokenPartError, match="walk says of block 5: its lock_ref is 0, not 1"):
        pages.check()


@pytest.mark.parametrize("make", [OwnTree, lambda size: YourTree(tree_of(ZOO.master), size)])
def test_handles_that_are_out_of_date_are_refused(make):
    pages = make(2)
    prefix, _ = pages.insert(Offer(array(1, 2, 3, 4), ids(5, 6)))
    assert [run.tolist() for run in pages.evict(1)] == [[6]]
    with pytest.raises(LockError, match="match again"):
        pages.lock(prefix)
    left = pages.match(array(1, 2, 3, 4))
    pages.lock(left)
    with pytest.raises(LockError, match="clear"):
        pages.clear()
    pages.unlock(left)
    with pytest.raises(LockError, match="released more often"):
        pages.unlock(left)
    pages.clear()
    assert (pages.num_blocks, len(pages.match(array(1, 2)))) == (0, 0)


def test_hits_are_counted_once_per_request_for_policies_that_count():
    pages = backends()["radixlab-lfu"](2)
    pages.insert(Offer(array(1, 2, 3, 4), ids(5, 6)))
    pages.insert(
        Offer(array(1, 2, 3, 4), ids(5, 6), num_counted_blocks=2)
    )  # the same request, again
    pages.insert(Offer(array(7, 8), ids(1)))
    pages.insert(Offer(array(7, 8), ids(1), num_counted_blocks=0))
    pages.match(array(1, 2, 3, 4))  # used last, but counted once
    assert [run.tolist() for run in pages.evict(1)] == [[6]]


def test_a_page_of_scattered_slots_is_refused():
    assert to_block_ids(to_slots(ids(3, 1), 4), 4).tolist() == [3, 1]
    with pytest.raises(NotCarriedError, match=r"page 1 .* \[8, 9, 11, 10\]"):
        to_block_ids(np.array([4, 5, 6, 7, 8, 9, 11, 10]), 4)


def test_no_two_namespaces_of_an_engine_are_one():
    sources = [(a, b) for a in (None, "", "x", '["x"') for b in (None, "x", '"]')]
    assert len({namespace_of(*pair) for pair in sources}) == len(sources)
    assert namespace_of("x", "") == namespace_of("x", None)  # SGLang: an empty salt is none


def test_the_heaviest_branch_is_visited_first_and_deep_before_shallow():
    assert visit_order([]) == []
    assert visit_order([[], [1], [1, 2], [3], [3], [3]]) == [3, 4, 5, 2, 1, 0]
