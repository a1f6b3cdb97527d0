"""Wrong policies are named or only lose hits; the cache goes on by LRU."""

import pytest

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.eviction import LRU
from radixlab.cache.protocols import EvictionPolicy
from radixlab.guarded_call import Watch
from radixlab.workloads import GENERATORS, replay
from radixlab.yours.manager import OwnManager
from radixlab.yours.parts import OwnPart, Parts, as_policy, worked
from tests.grade.zoo import ZOOS
from tests.yours.lives import live, own

ZOO = ZOOS["8.5.4"]
CAUGHT = {
    "evicts_absent": "E6",
    "evicts_inner": "E1",
    "evicts_locked": "E1",
    "gives_up": "E4",
    "locked_for_good": "E4",
    "returns_an_id": "E3",
}
LOSE = ("ageing_lfu", "dice", "fifo", "lfu", "newest_first", "once_used_first")
"""Legal, however little they find."""


def policy_of(text):
    return as_policy(ZOO.loaded(text).MyPolicy())


@pytest.mark.parametrize("tree", [None, "tree"], ids=["alone", "with a tree"])
@pytest.mark.parametrize("name", CAUGHT)
def test_a_wrong_policy_is_named_by_its_rule(name, tree):
    for seed in range(3):
        cache = own(tree and worked("tree"), policy_of(ZOO.wrong[name]))
        live(cache, seed, num_operations=120)
        if cache.fault:
            break
    (fault,) = cache.faults
    assert (fault.part, fault.rule, fault.call) == ("policy", CAUGHT[name], "victim()")


@pytest.mark.parametrize("name", [*CAUGHT, *LOSE])
def test_no_policy_changes_what_is_served_or_stops_a_replay(name):
    trace = list(GENERATORS["few-shot"](20, 3))
    config = CacheConfig(250)
    cache = OwnManager(config, policy=policy_of(ZOO.wrong[name]))
    found = replay(cache, trace)
    assert found.requests == 20 and found.evicted_blocks > 0
    cache.proof()
    if name in LOSE:
        assert cache.fault is None


def test_after_a_fault_lru_rules_as_if_it_always_had():
    class Stops(EvictionPolicy):
        name = reason = "stops"

        def victim(self):
            return None

    trace = list(GENERATORS["few-shot"](20, 3))
    cache, whole = OwnManager(CacheConfig(250), policy=Stops()), KVCacheManager(CacheConfig(250))
    assert replay(cache, trace).by_request == replay(whole, trace).by_request
    assert cache.fault.rule == "E4" and len(cache.faults) == 1


@pytest.mark.parametrize("hook", ["on_insert", "on_hit", "on_evictable", "victim"])
def test_an_endless_hook_is_ended(hook):
    def loops(*_):
        while True:
            pass

    policy = type("Loops", (LRU,), {hook: loops})()
    cache = OwnManager(CacheConfig(4, 2), policy=policy, watch=Watch(0.1))
    for prompt in ([1, 2, 3], [1, 2, 4], [5, 6, 7, 8, 9, 9, 9]):
        sequence = cache.allocate(prompt)
        cache.commit(sequence, len(prompt))
        cache.release(sequence)
    assert cache.fault.call == f"{hook}()" and "did not come back" in cache.fault.what


def test_a_class_of_a_cell_is_a_part_like_any_other():
    parts = Parts(policy=OwnPart("policy", worked("policy")))
    assert str(parts) == "policy  given here"
    assert live(own(None, parts.make_policy()), 0).fault is None
