"""A tree of one's own in the notebook: as a picture, and live behind the engine's protocol."""

from types import SimpleNamespace

import numpy as np
import pytest
from IPython.core.error import UsageError

from radixlab.grade.ex1.adapter import TreeAdapter
from radixlab.grade.own_tree import live, picture
from tests.grade.zoo import ZOOS

ZOO = ZOOS["8.5.1"]
ODD = ("closures_and_lists", "columns", "iterators", "lazy_properties")
"""Whose ids and results are the least like ours."""


@pytest.mark.parametrize("name", ODD)
def test_a_look_finds_what_a_match_finds_and_changes_nothing(name):
    tree = TreeAdapter(ZOO.loaded(ZOO.right[name]).RadixTree(2), 2)
    tree.insert([1, 2, 3, 4, 5, 6], [0, 1, 2])
    tree.insert([1, 2, 3, 4, -7, 8], [0, 1, 3])
    before = list(tree.walk())
    for tokens in ([1, 2, 3, 4, -7, 8, 9], [1, 2, 3, 9], [], [5], [1, 2, 3, 4, 5, 6]):
        seen = tree.peek(tokens)
        assert list(tree.walk()) == before
        np.testing.assert_array_equal(seen, tree.match_prefix(tokens).block_ids)
        before = list(tree.walk())


@pytest.mark.parametrize("name", ODD)
def test_any_right_tree_can_be_drawn_and_watched(name):
    tree = ZOO.loaded(ZOO.right[name]).RadixTree(2)
    watched, _ = live(tree, block_size=2, num_blocks=8)
    watched.insert([1, 2, 3, 4], [0, 1])
    receipt = watched.lock(watched.match_prefix([1, 2]).node)
    assert watched.evict(8).tolist() == [1]
    watched.unlock(receipt)
    assert picture(tree).text.endswith("[1 2]: blocks 0")


class Walks:
    """A tree of which only `walk` is there."""

    def __init__(self, walk):
        self.walk = walk


VIEW = SimpleNamespace(id=0, parent_id=None, tokens=(1,), block_ids=(0,), lock_ref=0)
NO_TREES = {
    "a number": 3,
    "nothing": None,
    "a class": ZOO.loaded(ZOO.master).RadixTree,
    "a list": [],
    "text": "tree",
    "a function": len,
    "a walk that is a list": Walks([VIEW]),
    "a walk that returns None": Walks(lambda: None),
    "a walk that wants more": Walks(lambda number: [VIEW]),
    "a walk of tuples": Walks(lambda: [(0, None, (1,), (0,), 0)]),
    "a walk of numbers": Walks(lambda: [1, 2]),
    "a walk of views without a field": Walks(lambda: [SimpleNamespace(id=0, parent_id=None)]),
    "a walk with tokens of text": Walks(lambda: [SimpleNamespace(**{**vars(VIEW), "tokens": 3})]),
    "a walk without end": Walks(lambda: iter(lambda: VIEW, 0)),
    "large ids": Walks(lambda: [SimpleNamespace(**{**vars(VIEW), "block_ids": (10**6,)})]),
}


@pytest.mark.parametrize("name", NO_TREES)
def test_what_cannot_be_drawn_is_told_in_one_line(name):
    with pytest.raises(UsageError) as told:
        picture(NO_TREES[name])
    assert "\n" not in str(told.value)
    assert "is not a tree" in str(told.value) or "walk must yield" in str(told.value)


@pytest.mark.parametrize("name", ["a number", "nothing", "a class", "a list", "text", "a function"])
def test_what_is_no_tree_cannot_be_watched(name):
    with pytest.raises(UsageError, match="is not a tree"):
        live(NO_TREES[name], 2, 8)


@pytest.mark.parametrize(
    "error", [AttributeError("mine"), TypeError("mine"), NotImplementedError()]
)
def test_an_exception_of_ones_own_walk_is_shown_as_it_is(error):
    def walk():
        raise error

    with pytest.raises(type(error)) as told:
        picture(Walks(walk))
    assert told.value is error
