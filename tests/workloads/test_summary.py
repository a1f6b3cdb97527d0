"""A summary says what an endless pool finds, and how far apart uses are, as a plain list counts."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.workloads import GENERATORS, Request, replay, summarize
from tests.test_cli import Run, run, trace

__all__ = ["run", "trace"]

TOKENS = st.lists(st.integers(0, 2), min_size=1, max_size=10)
REQUESTS = st.lists(
    st.builds(
        lambda prompt, output, tenant: Request(
            np.array(prompt, np.int32),
            np.array(output, np.int32),
            namespace=("salt", str(tenant)) if tenant else None,
        ),
        TOKENS, st.lists(st.integers(0, 2), max_size=4), st.integers(0, 1),
    ),
    max_size=12,
)  # fmt: skip


def counted_by_hand(requests: Sequence[Request], size: int) -> tuple[int, list[int]]:
    """Keep all blocks in one list, the latest used in front, each behind those above it."""
    stack: list[object] = []
    distances: list[int] = []
    for request in requests:
        tokens = (*request.prompt.tolist(), *request.output.tolist())
        path = [(request.namespace, tokens[: n * size]) for n in range(1, len(tokens) // size + 1)]
        looked_up = path[: (len(request.prompt) - 1) // size]
        distances += [stack.index(block) + 1 for block in looked_up if block in stack]
        stack = path + [block for block in stack if block not in path]
    return len(stack), sorted(distances)


@given(REQUESTS, st.integers(1, 4))
def test_distances_are_those_of_a_list_kept_in_order(requests: list[Request], size: int) -> None:
    summary = summarize(requests, size)
    num_distinct, distances = counted_by_hand(requests, size)
    assert (summary.distinct_blocks, summary.reuse_distances.tolist()) == (num_distinct, distances)
    assert summary.found_within(10**9) == pytest.approx(summary.shared_share)
    total = max(1, summary.prompt_tokens)
    for within in range(max(distances, default=0) + 2):
        num_found = sum(d <= within for d in distances)
        assert summary.found_within(within) == pytest.approx(num_found * size / total)
    for share in (0.5, 0.9, 1.0):
        quantile = summary.quantile(share)
        assert (quantile is None) == (not distances)
        if quantile is not None:
            assert sum(d <= quantile for d in distances) >= share * len(distances) - 1e-9
            assert sum(d < quantile for d in distances) < share * len(distances) + 1e-9


@given(REQUESTS, st.integers(1, 4))
def test_the_shared_share_is_the_hit_rate_of_an_endless_pool(
    requests: list[Request], size: int
) -> None:
    summary = summarize(requests, size)
    manager = KVCacheManager(CacheConfig(num_blocks=1_000, block_size=size))
    result = replay(manager, requests)
    assert summary.shared_tokens == result.hit_tokens
    assert summary.shared_share == result.token_hit_rate
    assert summary.distinct_blocks == manager.stats().num_cached_blocks
    assert summary.prompt_tokens == result.prompt_tokens


@pytest.mark.parametrize("name", GENERATORS)
def test_of_real_traffic_it_says_what_endless_and_small_pools_find(name: str) -> None:
    requests = list(GENERATORS[name](120, 2))
    summary = summarize(requests)
    endless = KVCacheManager(CacheConfig(200_000))
    assert replay(endless, requests).hit_tokens == summary.shared_tokens
    assert endless.stats().num_cached_blocks == summary.distinct_blocks
    for num_blocks in (1_000, 2_000):
        small = replay(KVCacheManager(CacheConfig(num_blocks)), requests)
        if not small.rejected_requests:  # those that run hold blocks too: about the same
            assert summary.found_within(num_blocks) == pytest.approx(small.token_hit_rate, abs=0.02)


SESSIONS = {"multi-turn-chat": "conversation", "agent": "agent", "tree-of-thought": "problem"}


@pytest.mark.parametrize("name", GENERATORS)
def test_sessions_are_counted_where_labels_name_them(name: str) -> None:
    requests = list(GENERATORS[name](100, 0))
    of = {str(request.label).partition(",")[0] for request in requests}
    known = summarize(requests).num_sessions
    assert known == (len(of) if name in SESSIONS else None)


def test_nothing_is_summarized_too() -> None:
    nothing = summarize([])
    assert (nothing.num_requests, nothing.distinct_blocks, nothing.shared_share) == (0, 0, 0)
    assert nothing.quantile(0.5) is None and nothing.found_within(9) == 0


def test_the_command_prints_it(run: Run, trace: Path) -> None:
    done = run("replay", trace, "--summary", "--block-size", "1,16,64")
    assert (done.code, done.err) == (0, "")
    head, _, *lines = done.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert head == f"3 requests of {trace}, sessions: not known"
    assert [line.split() for line in lines[5:8]] == [
        ["1", "1,821", "621", "0.665556", "300", "540", "594", "599"],
        ["16", "111", "37", "0.657778", "19", "34", "37", "37"],
        ["64", "27", "9", "0.640000", "5", "9", "9", "9"],
    ]
    report = json.loads(run("replay", trace, "--summary", "--json").out)
    (sixteen,) = report["block_sizes"]
    assert sixteen["shared_share"] == 1184 / 1800 and report["sessions"] is None
    assert list(sixteen["reuse_distance"]) == ["p50", "p90", "p99", "max"]


def test_the_command_draws_it(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    plot = tmp_path / "reuse.png"
    assert run("replay", "agent", "--limit", "30", "--summary", "--plot", plot).code == 0
    assert plot.read_bytes().startswith(b"\x89PNG")
