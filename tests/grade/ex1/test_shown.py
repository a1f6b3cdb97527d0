"""What a failing item of 8.5.1 shows: few calls, which run as they are, and two trees."""

import pytest

from radixlab.observe.state import State
from tests.grade.zoo import ZOOS

ZOO = ZOOS["8.5.1"]
CLASSICS = {
    "token_boundary": "split",
    "leaf_only": "lock",
    "evicts_inner_nodes": "evict",
    "leaks_duplicates": "reinsert",
}


def shown(name, seed=0):
    return ZOO.failure(ZOO.wrong[name], CLASSICS[name], seed)


def tree_of(state):
    return [(node.parent_id, node.tokens, node.block_ids) for node in state.nodes.values()]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", CLASSICS)
def test_a_classic_fault_takes_at_most_five_calls_to_show(name, seed):
    made, *calls = shown(name, seed).scenario.splitlines()
    assert made.startswith("tree = RadixTree(")
    assert 1 <= len(calls) <= 5


@pytest.mark.parametrize("name", CLASSICS)
def test_the_calls_run_below_the_learners_code(name):
    exec(f"{ZOO.wrong[name]}\n\n{shown(name).scenario}", {"__name__": "pasted"})


@pytest.mark.parametrize("name", CLASSICS)
def test_what_was_expected_stands_beside_what_came(name):
    failure = shown(name)
    assert type(failure.expected) is type(failure.actual)
    assert failure.expected != failure.actual


def test_the_expected_tree_is_cut_as_the_learners_is():
    failure = shown("leaf_only")
    assert isinstance(failure.expected, State)
    assert tree_of(failure.expected) == tree_of(failure.actual)
    locks = [
        [node.lock_ref for node in s.nodes.values()] for s in (failure.expected, failure.actual)
    ]
    assert locks == [[1, 1], [0, 1]]
