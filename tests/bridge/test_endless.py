"""A rehearsal ends, whatever the part does: code without end, endless answers, a process's end."""

from itertools import count

import pytest

from radixlab.bridge import rehearsal
from radixlab.bridge.rehearsal import rehearse_policy, rehearse_tree
from radixlab.exercise.tree import NodeView
from radixlab.yours.parts import worked

TREE, POLICY = worked("tree"), worked("policy")


def loops(*_):
    while True:
        pass


def leaves(*_):
    raise SystemExit(3)


def walks_for_ever(self):
    while True:
        yield NodeView(1, None, (1,) * 4, (1,), 0)


def endless_nodes(self):
    for view in TREE.walk(self):
        yield NodeView(view.id, view.parent_id, count(), count(), 0)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(rehearsal, "LIMIT_S", 0.3)


@pytest.mark.parametrize("deed", [loops, leaves])
@pytest.mark.parametrize("method", ["match_prefix", "insert", "lock", "evict", "walk"])
def test_a_tree_that_does_not_answer_is_out_of_service(method, deed):
    told = rehearse_tree(type("Tree", (TREE,), {method: deed}))
    assert not told.ok and "\n" not in told.fault
    assert "did not come back within 0.3 s" in told.fault or "raised SystemExit: 3" in told.fault


@pytest.mark.parametrize("walk", [walks_for_ever, endless_nodes])
def test_a_walk_without_end_is_named(walk):
    told = rehearse_tree(type("Tree", (TREE,), {"walk": walk}))
    assert told.fault.startswith("your tree: walk ")


@pytest.mark.parametrize("deed", [loops, leaves])
@pytest.mark.parametrize("method", ["on_insert", "victim"])
def test_a_policy_that_does_not_answer_is_out_of_service(method, deed):
    told = rehearse_policy(type("Policy", (POLICY,), {method: deed}))
    assert not told.ok and told.fault.startswith("your part ")
