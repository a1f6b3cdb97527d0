"""A look-up that is handed on: `allocate(match=...)` does what `allocate` does."""

import random
from typing import Any

import pytest

from radixlab.cache import (
    POLICIES,
    CacheConfig,
    KVCacheManager,
    OutOfBlocksError,
    TokenError,
    check,
    match_batch,
)
from tests.cache.helpers import SALT, Checked, cached, drawn, refused, text


@pytest.mark.parametrize("config", [{}, {"num_host_blocks": 9}, {"partial_reuse_tokens": 1}])
@pytest.mark.parametrize("seed", range(8))
def test_with_a_match_and_without_the_same_happens(seed: int, config: dict[str, int]) -> None:
    """Batches are looked up first, then admitted one by one, so that later matches are stale."""
    dice = random.Random(seed)
    name = dice.choice(["lru", "s3fifo", "priority"])
    twins = [KVCacheManager(CacheConfig(12, 2, **config), None, POLICIES[name]()) for _ in "ab"]
    running: list[list[Any]] = []
    for _ in range(60):
        prompts = [[dice.choice([1, 2]) for _ in range(dice.randint(1, 11))] for _ in range(3)]
        namespaces = [dice.choice([None, SALT]) for _ in prompts]
        found = match_batch(twins[0].tree, prompts, namespaces, spare_tokens=1)
        for prompt, namespace, match in zip(prompts, namespaces, found, strict=True):
            pair = []
            for twin, more in zip(twins, ({"match": match}, {}), strict=True):
                try:
                    sequence = twin.allocate(prompt, namespace, **more)
                    twin.complete(twin.transfers)
                    pair.append(sequence)
                except OutOfBlocksError:
                    pair.append(None)
            assert (pair[0] is None) == (pair[1] is None)
            if pair[0] is not None:
                assert pair[0].block_table.tolist() == pair[1].block_table.tolist()
                assert pair[0].hit_tokens == pair[1].hit_tokens
                running.append(pair)
        while running and (len(running) > 2 or dice.random() < 0.5):
            pair, num = running.pop(dice.randrange(len(running))), dice.randint(0, 11)
            for twin, sequence in zip(twins, pair, strict=True):
                twin.commit(sequence, min(num, sequence.num_tokens))
                twin.release(sequence)
        for twin in twins:
            twin.complete(twin.transfers)
            check(twin)
        assert twins[0].stats() == twins[1].stats()
        for namespace in (None, SALT):
            assert drawn(twins[0], namespace) == drawn(twins[1], namespace)
    assert twins[0].stats().hit_tokens > 20 and twins[0].stats().evicted_blocks > 10


def test_a_match_of_something_else_is_refused() -> None:
    lab, other = cached(Checked(), "abc", "xyz"), cached(Checked(), "abc")
    mine, theirs = (match_batch(one.tree, [text("abcd")])[0] for one in (lab, other))
    whole = match_batch(lab.tree, [text("abc")])[0]
    [salted] = match_batch(lab.tree, [text("abcd")], [SALT])
    for match in (theirs, 7, "abc", [mine], object()):
        with refused(TokenError, "look-up"):
            lab.allocate(text("abcd"), match=match)
    with refused(TokenError, 3, "another prompt"):
        lab.allocate(text("xyzd"), match=mine)
    with refused(TokenError, 3, "another prompt"):  # it leaves no token to compute
        lab.allocate(text("abc"), match=whole)
    with refused(TokenError, "namespace"):
        lab.allocate(text("abcd"), match=salted)
    assert lab.allocate(text("abcd"), match=mine).hit_tokens == 12


def test_a_stale_match_is_looked_up_again() -> None:
    lab = cached(Checked(), "abcd")
    [match] = match_batch(lab.tree, [text("abcx")])
    lab.evict(3)
    assert lab.allocate(text("abcx"), match=match).hit_tokens == 4
