"""`radixlab replay` under many policies, with a host tier, and drawn."""

import json
from pathlib import Path

import pytest

from tests.test_cli import RUN_KEYS, Run, run

__all__ = ["run"]

SMALL = ("replay", "tenants", "--limit", "60", "--num-blocks", "900")


def test_the_bound_is_above_every_policy(run: Run) -> None:
    done = run(*SMALL, "--policy", "lru,lfu,slru,adaptive,belady", "--json")
    rates = {r["policy"]: r["token_hit_rate"] for r in json.loads(done.out)["runs"]}
    assert max(rates.values()) == rates["belady"] > rates["lru"]


def test_swap_space_becomes_host_blocks_and_raises_the_hit_rate(run: Run) -> None:
    alone = json.loads(run(*SMALL, "--json").out)
    swap = ("--swap-space", "2GiB", "--kv-bytes-per-token", "32KiB")
    tiers = json.loads(run(*SMALL, *swap, "--json").out)
    assert tiers["num_host_blocks"] == 2**31 // (32 * 1024 * 16)
    (run_,), (alone_run,) = tiers["runs"], alone["runs"]
    assert run_["token_hit_rate"] > alone_run["token_hit_rate"]
    assert run_["host_hit_tokens"] > 0 == run_["dropped_blocks"]
    assert list(alone_run) == RUN_KEYS


def test_the_table_tells_of_the_host(run: Run) -> None:
    out = run(*SMALL, "--swap-space", "1G", "--kv-bytes-per-token", "128K").out
    assert "488 on the host" in out
    header = " ".join(out.splitlines()[2].split()), " ".join(out.splitlines()[3].split())
    assert "from dropped" in header[0] and "the host blocks" in header[1]


def test_with_a_host_the_bound_is_none_and_that_is_said(run: Run) -> None:
    pool = ("replay", "document-qa", "--limit", "150", "--seed", "3", "--num-blocks", "400")
    swap = ("--swap-space", "3200", "--kv-bytes-per-token", "1")
    done = run(*pool, *swap, "--policy", "lru,belady", "--json")
    lru, belady = (r["token_hit_rate"] for r in json.loads(done.out)["runs"])
    assert lru > belady
    assert "with a host tier belady is not a bound" in done.err
    assert "no bound" not in run(*pool, "--policy", "lru,belady").err


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_race_is_drawn(run: Run, tmp_path: Path, suffix: str) -> None:
    plot = tmp_path / f"race{suffix}"
    options = ("--policy", "lru,belady", "--plot", plot, "--pool-sizes", "800,1000")
    assert run(*SMALL, *options).code == 0
    assert plot.stat().st_size > 5_000


MISTAKES = {
    "no bytes": (["--swap-space", "4X"], "'4X' is not a number of bytes"),
    "no unit of a block": (["--swap-space", "4G"], "needs --kv-bytes-per-token"),
    "no bytes of a token": (
        ["--swap-space", "4G", "--kv-bytes-per-token", "0"],
        "--kv-bytes-per-token is 0",
    ),
    "less than a block": (
        ["--swap-space", "1K", "--kv-bytes-per-token", "1K"],
        "1,000 bytes holds no block of 16,000 bytes",
    ),
    "no picture": (["--plot", "race.doc"], "must end in .png or .svg or .pdf"),
    "no folder": (["--plot", "no/such/race.png"], "no/such/race.png"),
    "no sizes": (["--plot", "x.png", "--pool-sizes", "10,x"], "--pool-sizes '10,x'"),
    "no size": (["--plot", "x.png", "--pool-sizes", "0"], "0 is not between 1 and"),
    "no policy": (["--policy", "belad"], "did you mean belady?"),
}


@pytest.mark.parametrize(("options", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(run: Run, options: list[str], says: str) -> None:
    done = run(*SMALL, *options)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_a_trace_that_contradicts_itself_is_noted_once_and_counted(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "trace.jsonl"
    sound = {"timestamp": 0, "input_length": 600, "output_length": 1, "hash_ids": [1, 2]}
    lines = [sound, *[sound | {"input_length": 5000}] * 2]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    arguments = ("replay", str(path), "--num-blocks", "999", "--policy", "lru,fifo")
    done = run(*arguments)
    assert done.err.count("note: 2 lines") == 1 and f"{path}, line 2: 5,000 tokens" in done.err
    assert "contradictions in the trace: 2 lines" in done.out
    assert json.loads(run(*arguments, "--json").out)["contradictions"] == 2
    strict = run(*arguments, "--strict")
    assert strict.code == 2 and f"{path}, line 2: " in strict.err and not strict.out
    assert run(*arguments, "--strict", "--limit", "1").code == 0
