"""The table of a replay: right numbers, nothing dropped in silence, and never wider than 80."""

import json
from itertools import product

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.bench.replay_columns import gaps_closed
from radixlab.bench.replay_report import ReplayReport
from radixlab.bench.replay_runs import PolicyRun
from radixlab.cli.replay_options import Caches
from radixlab.config import CacheConfig
from radixlab.workloads import ReplayResult, Workload, make_manager, open_workload, replay
from tests.test_cli import Run, run

__all__ = ["run"]

WORKLOAD = Workload("a-trace", 12_031, lambda: iter(()))
BIG = 10**8
NAMES = ("lru", "belady", "adaptive", "mine.py:MyPolicy", "a/long/folder/of/mine.py:MyPolicyOfAll")


@st.composite
def results(draw: st.DrawFn) -> ReplayResult | None:
    if draw(st.integers(0, 6)) == 0:
        return None
    num = draw(st.integers(0, 12_031))
    prompt = draw(st.integers(num, 10 * BIG)) if num else 0
    return ReplayResult(
        requests=num,
        rejected_requests=draw(st.integers(0, 12_031)),
        prompt_tokens=prompt,
        hit_tokens=draw(st.integers(0, prompt)),
        evicted_blocks=draw(st.integers(0, BIG)),
        by_request=(),
        host_hit_tokens=draw(st.integers(0, BIG)),
        dropped_blocks=draw(st.integers(0, BIG)),
        cpu_us=draw(st.floats(0, 1e9)),
        rejected_prompt_tokens=draw(st.integers(0, BIG)),
    )


@st.composite
def reports(draw: st.DrawFn) -> ReplayReport:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    host = draw(st.sampled_from([0, 2**20]))
    shape = st.builds(
        lambda n, size: CacheConfig(n, size, num_host_blocks=host),
        st.integers(1, 10**6), st.sampled_from([1, 16, 4096]),
    )  # fmt: skip
    configs = draw(st.lists(shape, min_size=1, max_size=4, unique=True))
    runs = [
        PolicyRun(name, config, (r := draw(results())), "" if r else "it broke")
        for config, name in product(configs, names)
    ]
    return ReplayReport(WORKLOAD, configs[0], runs)


@given(reports())
def test_no_line_is_wider_than_80_and_what_is_left_out_is_named(report: ReplayReport) -> None:
    text = report.text()
    assert max(map(len, text.splitlines()[1:])) <= 80  # a path in the head may be longer
    wide = report.text(width=400)
    assert "left out" not in wide
    columns = wide.split("\n\n")[1].splitlines()[-len(report.runs) - 1].split("  ")
    shown = text.split("\n\n")[1].splitlines()[-len(report.runs) - 1].split("  ")
    spared = " ".join(text.split()).partition("left out to fit 80 characters: ")[2]
    named = spared.removesuffix(" (--json has all)").split(", ") if spared else []
    assert len(columns) - len(shown) == len(named)


@given(reports())
def test_json_has_every_run_once(report: ReplayReport) -> None:
    made = json.loads(report.as_json())
    several = len(report.configs) > 1
    keys = [
        (r["policy"], r["num_blocks"] if several else None, r["block_size"] if several else None)
        for r in [*made["runs"], *made.get("failed", [])]
    ]
    assert len(keys) == len(set(keys)) == len(report.runs)
    assert len(made["runs"]) == sum(run.result is not None for run in report.runs)


@given(reports())
def test_the_gap_closed_is_0_for_lru_and_1_for_belady_wherever_there_is_a_gap(
    report: ReplayReport,
) -> None:
    closed = gaps_closed(report.runs)
    if not {"lru", "belady"} <= {run.policy for run in report.runs}:
        assert not closed and "closed" not in report.text(400)
        return
    rates = {(r.policy, r.config): r.result.token_hit_rate for r in report.runs if r.result}
    for (name, config), share in closed.items():
        lru, belady = rates.get(("lru", config)), rates.get(("belady", config))
        if lru is None or belady is None or belady <= lru or (name, config) not in rates:
            assert share is None
        else:
            assert share == pytest.approx((rates[name, config] - lru) / (belady - lru))


def test_a_gap_of_nothing_is_a_dash(run: Run) -> None:
    "Nothing is shared, so nobody finds anything."
    done = run("replay", "diverse", "--limit", "9", "--num-blocks", "900", "--policy", "lru,belady")
    rows = [line.split() for line in done.out.splitlines()[5:7]]
    assert [row[5] for row in rows] == ["-", "-"] and [row[4] for row in rows] == ["0.000000"] * 2


def test_a_policy_below_lru_has_a_negative_share(run: Run) -> None:
    setting = ("replay", "multi-turn-chat", "--limit", "150", "--num-blocks", "700")
    report = json.loads(run(*setting, "--policy", "belady,mru,lru", "--json").out)
    belady, mru, lru = report["runs"]
    gap = belady["token_hit_rate"] - lru["token_hit_rate"]
    assert mru["gap_closed"] == round((mru["token_hit_rate"] - lru["token_hit_rate"]) / gap, 6) < 0
    assert (lru["gap_closed"], belady["gap_closed"]) == (0, 1)
    for names in ("lru,mru", "belady,mru", "lru"):
        runs = json.loads(run(*setting, "--policy", names, "--json").out)["runs"]
        assert all("gap_closed" not in one for one in runs)


@pytest.mark.parametrize("num_blocks", [400, 600, 1_000, 2_000])
def test_rejected_requests_are_counted_and_their_tokens_too(num_blocks: int) -> None:
    workload, config = open_workload("agent", 100), CacheConfig(num_blocks)
    result = replay(make_manager("lru", config), workload.requests())
    too_large = [r for r in workload.requests() if r.num_tokens > 16 * num_blocks]
    assert result.rejected_requests == len(too_large)
    assert result.rejected_prompt_tokens == sum(len(r.prompt) for r in too_large)
    total = sum(len(r.prompt) for r in workload.requests())
    assert result.prompt_tokens + result.rejected_prompt_tokens == total
    assert result.hit_rate_of_all == result.hit_tokens / total <= result.token_hit_rate


def test_the_footnote_says_how_rejected_requests_count(run: Run) -> None:
    setting = ("replay", "agent", "--limit", "40", "--policy", "lru,slru", "--num-blocks")
    out = " ".join(run(*setting, "600").out.split())
    assert "rejected and not counted in prompt tokens, hit tokens and token hit rate" in out
    assert "the hit rate of all counts their prompts as misses" in out
    roomy = run(*setting, "90000").out
    assert "of all" not in roomy and "note" not in roomy


SWEEP = ("replay", "tenants", "--limit", "60", "--policy", "lru,slru", "--json")


def test_every_row_of_a_sweep_is_the_run_of_its_own(run: Run) -> None:
    sweep = ("--num-blocks", "900", "--block-size", "16,64", "--pool-sizes", "600,1800")
    report = json.loads(run(*SWEEP, *sweep).out)
    shapes = [(r["block_size"], r["num_blocks"]) for r in report["runs"][::2]]
    assert shapes == [(16, 600), (16, 900), (16, 1800), (64, 150), (64, 225), (64, 450)]
    assert (report["num_blocks"], report["block_size"]) == (900, 16)
    for size, num_blocks in shapes:
        alone = json.loads(run(*SWEEP, "--num-blocks", num_blocks, "--block-size", size).out)
        rows = [
            r for r in report["runs"] if (r["block_size"], r["num_blocks"]) == (size, num_blocks)
        ]
        for row, one in zip(rows, alone["runs"], strict=True):
            assert {k: row[k] for k in one if "cpu" not in k} == {
                k: v for k, v in one.items() if "cpu" not in k
            }


@given(st.integers(1, 5_000), st.lists(st.integers(1, 600), min_size=1, max_size=5, unique=True))
def test_pools_of_all_block_sizes_have_the_memory_of_the_first(num: int, sizes: list[int]) -> None:
    num_tokens = num * sizes[0]
    try:
        table = Caches(sizes, 0, 0).table([num])
    except click.UsageError as error:
        assert max(sizes) > num_tokens and "not a block of" in error.message
        return
    for config, size in zip(table, sizes, strict=True):
        tokens = config.num_blocks * config.block_size
        assert config.block_size == size and num_tokens - size < tokens <= num_tokens
