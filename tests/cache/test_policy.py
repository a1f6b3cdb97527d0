"""A policy is a small plug-in: it hears what happens to nodes, and names the next victim."""

import numpy as np
import pytest

from radixlab.cache import POLICIES, KVCacheManager
from radixlab.config import CacheConfig
from tests.cache.helpers import Checked, cached, drawn, grow, start, text


class Newest:
    """Most recently used first, as a learner would write it; keeps what it heard, for the tests."""

    name, reason = "newest", "most recent"

    def __init__(self) -> None:
        self.leaves, self.known, self.heard = {}, {}, []

    def on_insert(self, node, tick):
        assert node.id not in self.known, "inserted twice"
        self.known[node.id] = node

    def on_hit(self, node, tick):
        assert node.id in self.known
        self.heard.append((node.id, tick))

    def on_split(self, upper, lower):
        assert lower.id in self.known
        self.known[upper.id] = upper

    def on_remove(self, node):
        del self.known[node.id]
        self.leaves.pop(node.id, None)

    def on_evictable(self, node):
        assert node.evictable and node.id not in self.leaves, "evictable twice"
        self.leaves[node.id] = node

    def on_protected(self, node):
        assert node.id in self.leaves, "protected twice"
        del self.leaves[node.id]

    def victim(self):
        return max(self.leaves.values(), key=lambda node: (node.tick, node.id), default=None)


def test_lru_is_registered_by_name():
    "E3"
    policy = POLICIES["lru"]()
    assert (policy.name, policy.reason) == ("lru", "least recent")
    manager = KVCacheManager(CacheConfig(4), policy=policy)
    assert manager.tree.policy is policy


def test_a_learners_policy_decides():
    "E3"
    lab = cached(Checked(num_blocks=4, policy=Newest()), "a", "b", "c")
    start(lab, "xy")
    assert drawn(lab) == "a|b|xy"


def test_a_policy_trims_block_by_block():
    "E7"
    lab = cached(Checked(num_blocks=4, policy=Newest()), "abcd")
    start(lab, "x")
    assert drawn(lab) == "abc|x"


def test_the_reason_of_the_policy_is_in_the_event():
    "E3"
    lab = cached(Checked(policy=Newest()), "a")
    lab.evict(1)
    assert lab.events[-1].reason == "most recent"


def test_a_policy_hears_every_hit_with_its_tick():
    "E3 M4"
    policy = Newest()
    lab = cached(Checked(policy=policy), "ab", "a.", "abc")
    upper, lower = list(lab.tree.walk())
    assert (drawn(lab), policy.heard) == ("a(bc)", [(upper.id, 3), (lower.id, 5), (upper.id, 5)])


def busy_step(lab: Checked, random: np.random.Generator) -> None:
    """Release, evict, or serve and fork: one of them."""
    running = list(lab.sequences.values())
    if len(running) > 2 or (running and random.random() < 0.3):
        lab.release(running[int(random.integers(len(running)))])
    elif random.random() < 0.2:
        lab.evict(int(random.integers(1, 4)))
    elif lab.stats().num_free_blocks + lab.stats().num_evictable_blocks > 5:
        sequence = start(lab, "".join(random.choice(list("ab"), random.integers(1, 4))))
        grow(lab, lab.fork(sequence, int(random.integers(1, sequence.num_tokens))), [1])


@pytest.mark.parametrize("seed", range(5))
def test_a_policy_always_knows_exactly_the_unlocked_leaves(seed):
    "L3: they come and go at 0 <-> 1 only, and each is told once"
    random, policy = np.random.default_rng(seed), Newest()
    lab = Checked(num_blocks=12, policy=policy)
    for _ in range(80):
        busy_step(lab, random)
        views = list(lab.tree.walk())
        parents = {view.parent_id for view in views}
        leaves = {view.id for view in views if not view.lock_ref and view.id not in parents}
        assert leaves == policy.leaves.keys()
        assert policy.known.keys() == {view.id for view in views}


def test_a_long_life_of_hits_leaves_the_order_right():
    "E5: stale entries are dropped, wherever they are"
    lab = cached(Checked(block_size=1, num_blocks=8), "a", "b", "c")
    manager = lab.manager
    for _ in range(3000):
        manager.release(manager.allocate(text("a.", 1)))
    assert lab.evict(2) == 2
    assert drawn(lab) == "a"
