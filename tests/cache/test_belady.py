"""The bound is the best there is: compared with an exhaustive search, and with every policy."""

from functools import cache

import numpy as np
import pytest

from radixlab.cache import KVCacheManager
from radixlab.cache.eviction import POLICIES
from radixlab.config import CacheConfig
from radixlab.workloads import GENERATORS, Request, make_manager, replay


def tokens_of(request: Request) -> tuple[int, ...]:
    return (*request.prompt.tolist(), *request.output.tolist())


def instance(seed: int) -> tuple[int, list[Request]]:
    """Draw a pool and a few requests that share, extend and leave each other's prefixes."""
    random = np.random.default_rng(seed)
    num_blocks, letters = int(random.integers(4, 7)), int(random.integers(2, 4))
    requests: list[Request] = []
    for _ in range(int(random.integers(5, 8))):
        prompt = random.integers(letters, size=int(random.integers(1, num_blocks))).tolist()
        if requests and random.random() < 0.4:  # a next turn
            old = requests[int(random.integers(len(requests)))]
            prompt = [*tokens_of(old), int(random.integers(letters))][: num_blocks - 1]
        output = random.integers(letters, size=int(random.integers(0, 2)))
        requests.append(Request(np.array(prompt, np.int32), output.astype(np.int32)))
    return num_blocks, requests


def best_hits(num_blocks: int, requests: list[Request]) -> int:
    """Try every legal choice of what to evict; a cache is the set of its prefixes."""

    @cache
    def best(index: int, cached: frozenset[tuple[int, ...]]) -> int:
        if index == len(requests):
            return 0
        tokens, prompt = tokens_of(requests[index]), requests[index].prompt.tolist()
        hit = 0
        while hit < len(prompt) - 1 and tuple(prompt[: hit + 1]) in cached:
            hit += 1
        path = {tokens[:n] for n in range(1, hit + 1)}
        missing = len(tokens) - hit - (num_blocks - len(cached))
        full = {tokens[:n] for n in range(1, len(tokens) + 1)}
        after = (best(index + 1, kept | full) for kept in choices(cached, frozenset(path), missing))
        return hit + max(after)

    return best(0, frozenset())


def choices(cached, locked, missing):
    """Yield every cache that is left after `missing` unlocked leaves went, one by one."""
    frontier = {cached}
    for _ in range(max(0, missing)):
        frontier = {
            kept - {leaf}
            for kept in frontier
            for leaf in kept - locked
            if not any(other[: len(leaf)] == leaf and other != leaf for other in kept)
        }
    return frontier


@pytest.mark.parametrize("first_seed", range(0, 300, 50))
def test_belady_equals_an_exhaustive_search(first_seed):
    for seed in range(first_seed, first_seed + 50):
        num_blocks, requests = instance(seed)
        manager = make_manager("belady", CacheConfig(num_blocks, 1), requests.copy)
        assert replay(manager, requests).hit_tokens == best_hits(num_blocks, requests), seed


def test_what_is_computed_again_anyway_goes_first_though_it_was_trimmed_before():
    "Of 010, 0 is left when it is computed again; it goes, and 1 stays for the last but one."
    parts = ["010.", "10.0", "0.01", "001.", "10.", "11.0", "101.", "100.1"]
    split = [[[int(letter) for letter in part] for part in each.split(".")] for each in parts]
    requests = [Request(*(np.array(part, np.int32) for part in each)) for each in split]
    manager = make_manager("belady", CacheConfig(4, 1), requests.copy)
    assert replay(manager, requests).hit_tokens == best_hits(4, requests)


def test_the_instances_leave_something_to_decide():
    "LRU is not optimal on a good part of them, so the comparison can fail."
    worse = 0
    for seed in range(100):
        num_blocks, requests = instance(seed)
        manager = KVCacheManager(CacheConfig(num_blocks, 1))
        worse += replay(manager, requests).hit_tokens < best_hits(num_blocks, requests)
    assert worse >= 10


@pytest.mark.parametrize("num_blocks", [300, 900])
@pytest.mark.parametrize("workload", GENERATORS)
def test_no_policy_beats_the_bound(workload, num_blocks):
    requests, config = list(GENERATORS[workload](60, 3)), CacheConfig(num_blocks)
    bound = replay(make_manager("belady", config, lambda: requests), requests)
    for name in POLICIES:
        assert replay(make_manager(name, config), requests).hit_tokens <= bound.hit_tokens, name


def test_the_bound_needs_the_future():
    with pytest.raises(ValueError, match="give make_manager the requests to come"):
        make_manager("belady", CacheConfig(4))


def test_with_a_host_tier_the_rule_is_no_bound():
    "Lesson 05 shows this run, to say where the rule stops being optimal."
    requests = list(GENERATORS["tenants"](150, 7))
    config = CacheConfig(num_blocks=957, num_host_blocks=957)
    managers = {name: make_manager(name, config, requests.copy) for name in ("lfu", "belady")}
    found = {name: replay(manager, requests).hit_tokens for name, manager in managers.items()}
    assert found["lfu"] > found["belady"]


@pytest.mark.parametrize("workload", ["multi-turn-chat", "agent", "document-qa", "phase-shift"])
def test_adaptive_is_hardly_worse_than_lru_where_lru_is_right(workload):
    requests, config = list(GENERATORS[workload](300, 901)), CacheConfig(900)
    lru, adaptive = (replay(make_manager(p, config), requests) for p in ("lru", "adaptive"))
    assert adaptive.token_hit_rate >= lru.token_hit_rate - 0.01


def test_adaptive_closes_half_of_the_gap_on_scans():
    requests, config = list(GENERATORS["scan-polluted"](600, 901)), CacheConfig(1500)
    lru, adaptive, bound = (
        replay(make_manager(p, config, lambda: requests), requests).token_hit_rate
        for p in ("lru", "adaptive", "belady")
    )
    assert bound - lru >= 0.05
    assert adaptive - lru >= 0.5 * (bound - lru)
