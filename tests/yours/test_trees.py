"""Right trees are taken for what they are, and every wrong one is named or harmless."""

from contextlib import suppress

import pytest

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.eviction import LRU
from radixlab.cache.rules import rules
from radixlab.config import ConfigError
from radixlab.engine import Engine
from radixlab.guarded_call import Watch
from radixlab.model.counting import CountingRunner
from radixlab.viz import CacheView
from radixlab.workloads import GENERATORS, replay
from radixlab.yours.manager import OwnManager
from radixlab.yours.parts import worked
from tests.cache.helpers import numbers_agree
from tests.grade.zoo import ZOOS
from tests.yours.lives import SIZES, live, own

ZOO = ZOOS["8.5.1"]
CAUGHT = {
    "a_number_for_a_receipt": "L2",
    "cached_is_everything": "T6",
    "counts_a_block_that_parts": "M8",
    "counts_a_partial_block": "M2",
    "counts_afterwards": "M9",
    "counts_the_root": "T6",
    "evicts_from_the_front": "E1",
    "evicts_locked_leaves": "L1",
    "ids_known_for_ever": "M10",
    "keeps_what_it_evicts": "E6",
    "keyed_by_first_token": "L9",
    "leaf_only": "L1",
    "locks_too_much": "L2",
    "loses_the_suffix": "L9",
    "matches_whole_nodes_only": "M9",
    "off_by_one_block": "M2 M8",
    "one_half": "L1",
    "overwrites": "M9",
    "own_ids_are_duplicates": "M10",
    "token_boundary": "M12",
    "trusts_the_first_token": "M8",
}
"""Wrong trees whose fault random lives show soon, and the rule that is named."""


def tree_of(text):
    return ZOO.loaded(text).RadixTree


@pytest.mark.parametrize("policy", [None, LRU], ids=["chooses", "ruled"])
@pytest.mark.parametrize("name", ZOO.right)
def test_no_right_tree_is_blamed(name, policy):
    number = list(ZOO.right).index(name)
    cache = own(tree_of(ZOO.right[name]), policy and policy(), SIZES[number % 4], pins=6)
    assert live(cache, seed=number).fault is None


@pytest.mark.parametrize("name", CAUGHT)
def test_a_wrong_tree_is_named_by_its_rule_and_lights_the_lamp(name):
    for seed, size in enumerate((2, 4, 2)):
        cache = own(tree_of(ZOO.wrong[name]), None, size)
        view = CacheView(cache)
        if live(cache, seed, num_operations=120).fault:
            break
    assert cache.fault.rule in CAUGHT[name].split() and cache.fault.part == "tree"
    assert numbers_agree(cache.fault.line), cache.fault.line
    assert view.verdict().rule == cache.fault.rule
    view.close()


def served(manager, prompts):
    engine = Engine(manager, CountingRunner(manager.config))
    asked = [engine.add_request(prompt, max_tokens=6) for prompt in prompts]
    while engine.has_work:
        engine.step()
    return [request.output for request in asked]


PROMPTS = [[*range(10)], [*range(10), 7, 7, 7], [0, 1, 5, 5, 5, 5], [*range(10)], [3] * 9] * 3


@pytest.mark.parametrize("name", CAUGHT)
def test_whatever_a_tree_does_the_tokens_served_are_the_references(name):
    config = CacheConfig(16, 2)
    broken = OwnManager(config, make_tree=tree_of(ZOO.wrong[name]))
    assert served(broken, PROMPTS) == served(KVCacheManager(config), PROMPTS)


@pytest.mark.parametrize("workload, num_blocks", [("few-shot", 300), ("tenants", 900)])
def test_a_right_tree_ruled_by_a_policy_finds_what_the_engines_tree_finds(workload, num_blocks):
    trace = list(GENERATORS[workload](25, 5))
    config = CacheConfig(num_blocks)
    cache = OwnManager(config, policy=LRU(), make_tree=worked("tree"))
    mine, theirs = replay(cache, trace), replay(KVCacheManager(config), trace)
    assert mine.evicted_blocks > 0
    assert (mine.by_request, mine.evicted_blocks) == (theirs.by_request, theirs.evicted_blocks)
    cache.proof()
    assert cache.fault is None


def test_a_tree_that_finds_too_little_only_loses_hits():
    tree = worked("tree")

    class Hasty(tree):
        looks = 0

        def match_prefix(self, tokens):
            type(self).looks += 1
            return super().match_prefix(tokens if self.looks % 2 == 0 else ())

        def insert(self, tokens, block_ids):
            type(self).looks = 1  # the next look inside is a whole one
            return super().insert(tokens, block_ids)

    config = CacheConfig(64, 2)
    cache, whole = OwnManager(config, make_tree=Hasty), KVCacheManager(config)
    answers = served(cache, PROMPTS)
    assert answers == served(whole, PROMPTS) and cache.fault is None
    lost = cache.own_trees.num_lost_tokens
    assert lost > 0 and cache.stats().hit_tokens < whole.stats().hit_tokens


def loops(self, *_):
    while True:
        pass


def loops_in_spite(self, *_):
    while True:
        with suppress(Exception):
            sum(range(100))


def raises(self, *_):
    raise RuntimeError("nothing here")


def leaves(self, *_):
    raise SystemExit(3)


def returns_nothing(self, *_):
    return None


def recurses(self, *arguments):
    return recurses(self, *arguments)


@pytest.mark.parametrize("deed", [loops, loops_in_spite, raises, leaves, returns_nothing, recurses])
@pytest.mark.parametrize("method", ["match_prefix", "insert", "lock", "evict", "walk", "stats"])
def test_code_that_does_not_answer_ends_in_one_sentence(method, deed):
    if method == "lock" and deed is returns_nothing:
        pytest.skip("None is a receipt like any other")
    tree = type("Tree", (worked("tree"),), {method: deed})
    cache = OwnManager(CacheConfig(8, 2), make_tree=tree, watch=Watch(0.1))
    for prompt in ([1, 2, 3, 4, 5], [1, 2, 9], [*range(10, 24)]):
        sequence = cache.allocate(prompt)
        cache.commit(sequence, len(prompt))
        cache.release(sequence)
        cache.proof()
    (fault,) = cache.faults
    assert fault.call.startswith(f"{method}(") and "\n" not in fault.line
    assert numbers_agree(fault.line) and fault.rule in {rule.id for rule in rules()}
    if deed in (loops, loops_in_spite):
        assert "did not come back within 0.1 s" in fault.what


def test_a_tree_that_cannot_be_made_is_told_at_once():
    cache = OwnManager(CacheConfig(8, 2), make_tree=lambda: None)
    assert "RadixTree(2)" in cache.fault.line and cache.allocate([1, 2, 3]).hit_tokens == 0


def test_a_reset_and_a_restart_begin_with_new_trees():
    from radixlab.cache.restart import restart

    cache = own(worked("tree"), LRU())
    for begin_again in (cache.reset, lambda: restart(cache)):
        for _ in range(2):
            sequence = cache.allocate([1, 2, 3, 4, 5])
            cache.commit(sequence, 5)
            cache.release(sequence)
        assert sequence.hit_tokens == 4
        begin_again()
        cache.proof()
    assert cache.allocate([1, 2, 3, 4, 5]).hit_tokens == 0 and cache.fault is None


@pytest.mark.parametrize("setting", [{"num_host_blocks": 4}, {"partial_reuse_tokens": 1}])
def test_what_such_a_tree_cannot_do_is_refused_by_name(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        OwnManager(CacheConfig(8, 2, **setting), make_tree=worked("tree"))


@pytest.mark.soak
@pytest.mark.parametrize("policy", [None, LRU], ids=["chooses", "ruled"])
@pytest.mark.parametrize("name", ZOO.wrong)
def test_no_wrong_tree_breaks_the_cache(name, policy):
    for seed, size in enumerate(SIZES):
        live(own(tree_of(ZOO.wrong[name]), policy and policy(), size), seed, num_operations=150)
