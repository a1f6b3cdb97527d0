import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.why.cache import Asked, Cache
from radixlab.why.digests import Digester
from radixlab.why.index import PrefixIndex
from radixlab.why.profiles import Profile

SCOPES = ((("model", "a"),), (("model", "b"),))
PROMPTS = st.lists(
    st.tuples(st.integers(0, 1), st.lists(st.integers(0, 1), min_size=1, max_size=14)),
    min_size=1,
    max_size=30,
)
"""Prompts of few different tokens: many share prefixes, end inside others and repeat."""


def ask(digester, number, scope, prompt, time=None):
    tokens = np.array(prompt, np.int32)
    return Asked(number, SCOPES[scope], tokens, digester.prefixes(tokens), time)


def served(manager, scope, prompt):
    """What the engine's own cache finds of a prompt, served alone from beginning to end."""
    sequence = manager.allocate(prompt, ("scope", str(scope)))
    manager.commit(sequence, len(prompt))
    manager.release(sequence)
    return sequence.hit_tokens


@given(PROMPTS, st.sampled_from([1, 2, 3]))
def test_an_unlimited_cache_finds_what_the_engines_own_cache_finds(prompts, block_size):
    manager = KVCacheManager(CacheConfig(num_blocks=1000, block_size=block_size))
    cache, digester = Cache(Profile("none", block_size), None, None), Digester(block_size)
    for number, (scope, prompt) in enumerate(prompts):
        found = cache.serve(ask(digester, number, scope, prompt)).found
        assert found == served(manager, scope, prompt)


@given(PROMPTS, st.integers(14, 25))
def test_a_pool_finds_what_the_engines_own_cache_of_that_size_finds(prompts, num_blocks):
    manager = KVCacheManager(CacheConfig(num_blocks=num_blocks, block_size=1))
    cache, digester = Cache(Profile("none", 1), num_blocks, None), Digester(1)
    for number, (scope, prompt) in enumerate(prompts):
        layers = cache.serve(ask(digester, number, scope, prompt))
        assert layers.found == layers.kept == served(manager, scope, prompt)


def last_uses(uses, scope, prompt, size):
    """The time of the last use of each prefix of whole blocks, from a list of all prompts."""
    ends = range(size, len(prompt) + 1, size)
    same = [[t for s, p, t in uses if s == scope and p[:end] == prompt[:end]] for end in ends]
    return [max(times) for times in same if times]


@given(PROMPTS, st.lists(st.integers(0, 9), min_size=30, max_size=30), st.integers(1, 20))
def test_a_prefix_lives_as_long_as_its_last_use(prompts, pauses, ttl):
    cache, digester = Cache(Profile("none", 2), None, ttl), Digester(2)
    uses, time = [], 0
    for number, ((scope, prompt), pause) in enumerate(zip(prompts, pauses, strict=False)):
        time += pause
        most = (len(prompt) - 1) // 2
        times = last_uses(uses, scope, prompt, 2)[:most]
        layers = cache.serve(ask(digester, number, scope, prompt, time))
        assert layers.in_scope == 2 * len(times)
        assert layers.alive == 2 * sum(last >= time - ttl for last in times)
        uses.append((scope, prompt, time))


@given(PROMPTS)
def test_what_other_scopes_have_is_seen_anywhere(prompts):
    cache, digester = Cache(Profile("none", 1), None, None), Digester(1)
    for number, (scope, prompt) in enumerate(prompts):
        before = [p for _, p in prompts[:number]]
        layers = cache.serve(ask(digester, number, scope, prompt))
        ends = [e for e in range(len(prompt)) if any(p[:e] == prompt[:e] for p in before)]
        assert layers.anywhere == max(ends, default=0)


@given(PROMPTS)
def test_the_owner_of_a_prefix_has_it_and_who_goes_beyond_goes_beyond(prompts):
    index, digester = PrefixIndex(), Digester(1)
    for number, (_, prompt) in enumerate(prompts):
        digests = digester.prefixes(np.array(prompt, np.int32))
        seen = index.find("scope", digests)
        shared = prompt[: seen.num_blocks]
        if seen.owner is not None:
            assert prompts[seen.owner][1][: len(shared)] == shared
        if seen.beyond is not None:
            assert prompts[seen.beyond][1][: len(shared)] == shared
            assert len(prompts[seen.beyond][1]) > len(shared)
        index.add("scope", digests, seen, number)


@pytest.mark.parametrize("block_size", [1, 4, 16])
def test_prefixes_have_the_same_digest_only_if_their_tokens_are_the_same(block_size):
    rng, digester = np.random.default_rng(0), Digester(block_size)
    tokens = rng.integers(0, 2**31 - 1, 16 * 300, np.int32)
    digests = digester.prefixes(tokens)
    assert len(set(digests.tolist())) == len(digests) == len(tokens) // block_size
    for position in rng.integers(0, len(tokens), 50).tolist():
        other = tokens.copy()
        other[position] ^= 1
        same = (digester.prefixes(other) == digests).tolist()
        assert same == [i < position // block_size for i in range(len(digests))]


def test_a_prompt_longer_than_all_before_gets_more_constants():
    digester = Digester(16)
    tokens = np.arange(100_000, dtype=np.int32)
    digests = digester.prefixes(tokens)
    assert (digester.prefixes(tokens[:50_000]) == digests[: 50_000 // 16]).all()
