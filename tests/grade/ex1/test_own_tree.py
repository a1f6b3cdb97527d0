"""A tree of one's own in the notebook: as a picture, and live behind the engine's protocol."""

import numpy as np
import pytest

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
