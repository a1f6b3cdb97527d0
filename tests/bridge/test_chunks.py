"""Chunks of vLLM's CPU tier under our policies, right ones of learners, and wrong ones."""

from random import Random

import pytest

from radixlab.bridge.chunks import Chunks
from radixlab.bridge.errors import BrokenPartError
from radixlab.bridge.your_policy import YourPolicy
from radixlab.cache.eviction import LRU, POLICIES
from tests.grade.zoo import ZOOS

ZOO = ZOOS["8.5.4"]


def yours(text):
    return YourPolicy(ZOO.loaded(text).MyPolicy())


def state(chunks):
    return {
        key: (chunk.id, chunk.num_pins, chunk.num_children, chunk.tick)
        for key, chunk in chunks.chunks.items()
    }


def drive(chunks, seed, num_steps=150, capacity=12):
    """Drawn prefixes come, are pinned, used and evicted; the contract is checked at each step."""
    draw, pinned = Random(seed), []
    for tick in range(1, num_steps + 1):
        path = [bytes(draw.choices(b"ab", k=1)) for _ in range(draw.randrange(1, 6))]
        keys = [b"".join(path[:end]) for end in range(1, len(path) + 1)]
        known = [key for key in keys if key in chunks.chunks]
        kind = draw.choice(("use", "pin", "unpin", "store", "store", "lose"))
        if kind == "use":
            for key in reversed(known):
                chunks.use(key, tick, hit=True)
        elif kind == "pin" and known:
            pinned += [known[-1]]
            chunks.pin(known[-1])
        elif kind == "unpin" and pinned:
            chunks.unpin(pinned.pop(draw.randrange(len(pinned))))
        elif kind == "lose" and known and known[-1] not in pinned:
            chunks.remove(known[-1])
        elif kind == "store":
            store(chunks, keys, tick, capacity, draw)
        assert chunks.problems() == []


def store(chunks, keys, tick, capacity, draw):
    missing = [key for key in keys if key not in chunks.chunks]
    before = state(chunks)
    may_go = [key for key in before if not before[key][1] and key not in keys]
    gone = chunks.evict(max(0, len(chunks) + len(missing) - capacity), keys)
    if gone is None:
        assert state(chunks) == before
        return
    assert {chunk.key for chunk in gone} <= set(may_go)
    left = set(chunks.chunks)
    if not chunks.flat:
        for chunk in gone:
            followers = [key for key in left if len(key) == len(chunk.key) + 1]
            assert not [key for key in followers if key.startswith(chunk.key)], "an orphan"
    for key in missing:
        chunks.insert(key, key[:-1] or None, object(), tick, pinned=draw.random() < 0.2)
        if chunks.chunks[key].num_pins:
            chunks.unpin(key)  # its store is complete


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("name", POLICIES)
def test_our_policies_keep_the_contract(name, flat):
    for seed in range(3):
        drive(Chunks(POLICIES[name](), flat), seed)


@pytest.mark.parametrize("name", ZOO.right)
def test_right_policies_of_learners_keep_it(name):
    for seed in range(2):
        drive(Chunks(yours(ZOO.right[name])), seed)


def test_a_parent_outlives_its_children_unless_the_keys_are_flat():
    for flat, goes in ((False, b"ab"), (True, b"a")):
        chunks = Chunks(LRU(), flat)
        chunks.insert(b"a", None, 0, tick=1, pinned=False)
        chunks.insert(b"ab", b"a", 1, tick=2, pinned=False)
        assert [chunk.key for chunk in chunks.evict(1, ())] == [goes]


def test_a_parent_that_comes_late_or_comes_back_is_found_by_its_children():
    chunks = Chunks(LRU())
    chunks.insert(b"ab", b"a", 1, tick=1, pinned=False)
    chunks.insert(b"a", None, 0, tick=0, pinned=False)
    chunks.remove(b"a")
    chunks.insert(b"a", None, 0, tick=0, pinned=False)
    assert [chunk.key for chunk in chunks.evict(2, ())] == [b"ab", b"a"]


def test_what_follows_a_pin_or_a_protected_key_decides_how_many_can_go():
    chunks = Chunks(LRU())
    for key in (b"a", b"ab", b"abc", b"x"):
        chunks.insert(key, key[:-1] or None, 0, tick=1, pinned=False)
    before = state(chunks)
    assert chunks.evict(2, {b"abc"}) is None and state(chunks) == before
    chunks.pin(b"ab")
    assert [chunk.key for chunk in chunks.evict(2, ())] == [b"abc", b"x"]
    assert chunks.evict(1, ()) is None


class Named:
    """A policy that names what it is told to, from the nodes that it saw."""

    def __init__(self, choose):
        self.choose, self.nodes, self.may_go = choose, [], []

    def on_insert(self, node, tick):
        self.nodes.append(node)

    def on_evictable(self, node):
        self.may_go.append(node)

    def on_protected(self, node):
        self.may_go.remove(node)

    on_remove = on_protected

    def victim(self):
        return self.choose(self)


def fails(policy):
    raise RuntimeError("nothing left\nto name")


FAULTS = {
    "a parent": (lambda p: p.nodes[0], "chunk 0, which comes before 1 cached chunk"),
    "a protected one": (lambda p: p.nodes[2], "chunk 2, which is in use or protected"),
    "one in use": (lambda p: p.nodes[3], "chunk 3, which is in use or protected"),
    "the same twice": (lambda p: p.nodes[1], "returned 1, which is not a node"),
    "None": (lambda p: None, "None, while 2 chunks may go"),
    "an id": (lambda p: 1, "which is not a node"),
    "an exception": (fails, "victim() raised RuntimeError: nothing left to name"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_victim_is_named_and_nothing_is_evicted(fault):
    choose, says = FAULTS[fault]
    chunks = Chunks(YourPolicy(Named(choose)))
    for key in (b"a", b"ab", b"p", b"u", b"z"):
        chunks.insert(key, key[:-1] or None, 0, tick=1, pinned=False)
    chunks.pin(b"u")
    before = state(chunks)
    with pytest.raises(BrokenPartError) as caught:
        chunks.evict(2, {b"p"})
    assert says in str(caught.value) and str(caught.value).startswith("policy yours: ")
    assert "\n" not in str(caught.value) and state(chunks) == before
    assert chunks.problems() == []
    with pytest.raises(BrokenPartError, match="out of service"):
        chunks.evict(1, ())


class Deaf(LRU):
    """A policy of the engine's kind with a hook that fails."""

    name = "deaf"

    def on_protected(self, node):
        raise ValueError(f"what is node {node.id}?")


def test_a_hook_that_fails_is_reported_at_the_next_eviction():
    for policy, name in ((Deaf(), "deaf"), (YourPolicy(Deaf()), "yours")):
        chunks = Chunks(policy)
        for key in (b"a", b"b"):
            chunks.insert(key, None, 0, tick=1, pinned=False)
        chunks.pin(b"a")
        for _ in range(2):
            with pytest.raises(BrokenPartError, match=f"policy {name}: .*what is node 0"):
                chunks.evict(1, ())
        assert len(chunks) == 2 and chunks.chunks[b"b"].num_pins == 0


@pytest.mark.parametrize("thing", [Named, object(), None])
def test_what_is_no_policy_is_refused_at_once(thing):
    with pytest.raises(BrokenPartError, match=r"no method victim\(\)"):
        YourPolicy(thing)


WRONG = "evicts_absent evicts_inner evicts_locked gives_up raises_when_empty returns_an_id"


@pytest.mark.parametrize("name", WRONG.split())
def test_wrong_policies_never_evict_what_may_not_go(name):
    """`drive` checks each victim itself; a policy that is caught ends there."""
    for seed in range(4):
        try:
            drive(Chunks(yours(ZOO.wrong[name])), seed)
        except BrokenPartError as error:
            assert str(error).startswith("policy yours: ")
