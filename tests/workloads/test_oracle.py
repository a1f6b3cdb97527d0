"""With room for everything, a replay finds exactly what the traffic repeats.

The oracle is the set of block-aligned prefixes per namespace, with no tree and no blocks in it.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

import numpy as np
import pytest

from radixlab.cache import KVCacheManager, NaiveManager
from radixlab.config import CacheConfig
from radixlab.workloads import GENERATORS, Request, replay

ROOM = 100_000


def prefixes(request: Request, block_size: int) -> Iterator[bytes]:
    """Yield a digest for each block-aligned prefix of prompt and output, in its namespace."""
    digest = blake2b(repr(request.namespace).encode())
    tokens = np.concatenate((request.prompt, request.output))
    for end in range(block_size, len(tokens) + 1, block_size):
        digest.update(tokens[end - block_size : end].tobytes())
        yield digest.digest()


def expected_hit_tokens(requests: Iterable[Request], block_size: int) -> int:
    """Count what is known when each request comes; its last token is always computed."""
    known: set[bytes] = set()
    hit_tokens = 0
    for request in requests:
        own = list(prefixes(request, block_size))
        for prefix in own[: (len(request.prompt) - 1) // block_size]:
            if prefix not in known:
                break
            hit_tokens += block_size
        known.update(own)
    return hit_tokens


@pytest.mark.parametrize("block_size", [7, 16])
@pytest.mark.parametrize("name", GENERATORS)
def test_a_replay_with_room_for_all_finds_what_the_oracle_knows(name: str, block_size: int) -> None:
    requests = list(GENERATORS[name](120, 1))
    manager = KVCacheManager(CacheConfig(num_blocks=ROOM, block_size=block_size))
    result = replay(manager, requests)
    assert (result.requests, result.evicted_blocks) == (120, 0)
    assert result.hit_tokens == expected_hit_tokens(requests, block_size)


@pytest.mark.parametrize("name", GENERATORS)
def test_without_room_it_finds_no_more_than_that(name: str) -> None:
    requests = list(GENERATORS[name](120, 1))
    result = replay(KVCacheManager(CacheConfig(num_blocks=2000)), requests)
    assert result.requests == 120
    assert result.hit_tokens <= expected_hit_tokens(requests, 16)


def test_a_tenant_finds_nothing_of_anothers() -> None:
    tokens = np.arange(40, dtype=np.int32)
    salts = [("salt", "x"), ("salt", "y"), ("adapter", "x"), None]
    once = [Request(tokens, tokens[:8], namespace=salt) for salt in salts]
    result = replay(KVCacheManager(CacheConfig(num_blocks=100)), once)
    assert result.hit_tokens == 0
    again = replay(KVCacheManager(CacheConfig(num_blocks=100)), once * 2)
    assert again.hit_tokens == 4 * 32


def test_isolation_costs_each_tenant_its_own_system_prompt() -> None:
    apart = list(GENERATORS["tenants"](100, 0))
    together = [Request(request.prompt, request.output) for request in apart]
    hits = [
        replay(KVCacheManager(CacheConfig(num_blocks=ROOM)), r).hit_tokens
        for r in (apart, together)
    ]
    num_tenants = len({request.namespace for request in apart})
    assert hits[1] - hits[0] == (num_tenants - 1) * 1024


def test_the_naive_twin_takes_namespaces_and_finds_nothing() -> None:
    result = replay(NaiveManager(CacheConfig(num_blocks=2000)), GENERATORS["tenants"](50, 0))
    assert (result.requests, result.hit_tokens) == (50, 0)
