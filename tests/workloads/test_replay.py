"""A replay counts what the traffic says, and finds what the production trace is known to share."""

from collections.abc import Iterable

import numpy as np
import pytest

from radixlab.cache import KVCacheManager, NaiveManager
from radixlab.config import CacheConfig
from radixlab.workloads import (
    GENERATORS,
    Request,
    conversation_trace,
    make_manager,
    manager_names,
    open_workload,
    read_requests,
    replay,
)


def request(num_prompt: int, num_output: int = 0, first: int = 0) -> Request:
    tokens = np.arange(first, first + num_prompt + num_output, dtype=np.int32)
    return Request(tokens[:num_prompt], tokens[num_prompt:])


def tiny(num_blocks: int) -> KVCacheManager:
    return KVCacheManager(CacheConfig(num_blocks=num_blocks, block_size=4))


def test_a_repeated_prompt_is_found_up_to_its_last_token() -> None:
    result = replay(tiny(8), [request(8), request(8)])
    assert (result.requests, result.prompt_tokens, result.hit_tokens) == (2, 16, 4)
    assert result.token_hit_rate == 0.25


def test_an_output_is_found_by_the_next_turn() -> None:
    result = replay(tiny(8), [request(6, 6), request(16)])
    assert result.hit_tokens == 12


def test_the_naive_twin_serves_the_same_and_finds_nothing() -> None:
    requests = list(GENERATORS["shared-prompt"](20, 0))
    ours, naive = (
        replay(manager(CacheConfig(num_blocks=2000)), requests)
        for manager in (KVCacheManager, NaiveManager)
    )
    assert ours.prompt_tokens == naive.prompt_tokens
    assert (ours.hit_tokens, naive.hit_tokens) == (19 * 1024, 0)


def test_what_can_never_fit_is_rejected_and_the_rest_served() -> None:
    result = replay(tiny(4), [request(16), request(17), request(10, 7), request(16)])
    assert (result.requests, result.rejected_requests) == (2, 2)
    assert (result.prompt_tokens, result.hit_tokens) == (32, 12)


def test_nothing_served_is_a_rate_of_zero() -> None:
    result = replay(tiny(1), [request(100)])
    assert (result.requests, result.token_hit_rate, result.cpu_us_per_request) == (0, 0.0, 0.0)


def test_evictions_are_those_of_this_replay() -> None:
    manager = tiny(4)
    replay(manager, [request(16), request(16, first=100)])
    assert replay(manager, [request(16, first=200)]).evicted_blocks == 4


def test_progress_is_called_once_per_request_rejected_or_not() -> None:
    calls = []
    replay(tiny(4), [request(4), request(99)], lambda: calls.append(1))
    assert len(calls) == 2


@pytest.mark.parametrize("name", manager_names())
def test_every_named_manager_replays(name: str) -> None:
    workload = open_workload("document-qa", limit=20, seed=1)
    manager = make_manager(name, CacheConfig(num_blocks=2000), workload.requests)
    assert replay(manager, workload.requests()).requests == 20


def test_a_workload_starts_over_for_every_manager() -> None:
    workload = open_workload("diverse", limit=3)
    one, other = (total(workload.requests()) for _ in range(2))
    assert one == other > 0


def total(requests: Iterable[Request]) -> int:
    return sum(int(request.prompt.sum()) for request in requests)


@pytest.mark.parametrize(("num_blocks", "rate"), [(50_000, 0.045876), (250_000, 0.179513)])
def test_hit_rates_of_the_production_trace(num_blocks: int, rate: float) -> None:
    trace = conversation_trace()
    if trace is None:
        pytest.skip("no production trace: set RADIXLAB_TRACES to its folder")
    manager = KVCacheManager(CacheConfig(num_blocks=num_blocks, block_size=16))
    result = replay(manager, read_requests(trace, limit=2000))
    assert result.requests == 2000
    assert round(result.token_hit_rate, 6) == rate
