"""Who goes next: the orders on a drawn tree, and that nobody starves under one that ages."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.sched import (
    Waiting,
    depth_first_weight,
    first_come,
    longest_prefix_first,
    with_ageing,
)
from tests.cache.helpers import node, tree

ORDERS = pytest.mark.parametrize("order", [first_come, longest_prefix_first, depth_first_weight])


def queue(*paths: str) -> list[Waiting]:
    """Wait at these places of the tree ab(c(d|e)|f)|g, in this order of arrival."""
    drawn = tree("ab(c(d|e)|f)|g")
    return [
        Waiting(arrival, 4 * len(path), node(drawn, path)) for arrival, path in enumerate(paths)
    ]


def places(requests: list[Waiting], paths: tuple[str, ...]) -> list[str]:
    return [paths[request.arrival] for request in requests]


def test_the_longest_prefix_goes_first_then_the_earliest():
    "S1"
    paths = ("", "g", "abf", "abcd", "abce", "ab", "abf")
    served = places(longest_prefix_first(queue(*paths)), paths)
    assert served == ["abcd", "abce", "abf", "abf", "ab", "g", ""]


def test_the_branch_with_most_requests_goes_first():
    "S4: four wait at g, three below ab, two of them at f; who shares nothing comes last"
    paths = ("abcd", "g", "abf", "g", "", "abf", "g", "g")
    served = places(depth_first_weight(queue(*paths)), paths)
    assert served == ["g", "g", "g", "g", "abf", "abf", "abcd", ""]


def test_a_branch_is_served_in_one_stretch():
    "S4: all of ab together, and within it all of c together"
    paths = ("abcd", "g", "abf", "abce", "g", "abcd", "ab", "abf")
    served = places(depth_first_weight(queue(*paths)), paths)
    assert [key for key, _ in itertools.groupby(path[:1] for path in served)] == ["a", "g"]
    assert [key for key, _ in itertools.groupby(path[2:3] for path in served)] == ["c", "f", ""]


@ORDERS
@given(st.permutations(["", "ab", "abcd", "abf", "g", "g"]))
def test_an_order_serves_everybody_once_and_alike_every_time(order, paths):
    waiting = queue(*paths)
    served = order(waiting)
    assert sorted(request.arrival for request in served) == list(range(6))
    assert order(list(reversed(waiting))) == served


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_whoever_was_passed_often_enough_goes_first_by_arrival(passes):
    root = queue("")[0].node
    waiting = [Waiting(i, 4 * i, root, num_passes) for i, num_passes in enumerate(passes)]
    served = with_ageing(longest_prefix_first, max_passes=5)(waiting)
    old = [request.arrival for request in waiting if request.num_passes >= 5]
    assert [request.arrival for request in served[: len(old)]] == old
    young = [request for request in waiting if request.num_passes < 5]
    assert served[len(old) :] == longest_prefix_first(young)
