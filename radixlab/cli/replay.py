"""`radixlab replay`: a trace through the cache, under one policy or many."""

import difflib
import os
import textwrap
import warnings
from dataclasses import replace
from pathlib import Path

import click

from radixlab.bench.pictures import picture_writer, race_writer
from radixlab.bench.replay_report import PolicyRun, as_json, as_text, notes, pools
from radixlab.bench.report import count
from radixlab.cache import KVCacheManager
from radixlab.cli.shared import AT_LEAST_ONE, BYTES, OutputFile, examples, progress
from radixlab.config import CacheConfig
from radixlab.workloads import (
    GENERATORS,
    Manager,
    TraceWarning,
    Workload,
    make_manager,
    manager_names,
    open_workload,
)
from radixlab.workloads import replay as run_replay
from radixlab.workloads.replay import fits

MAX_BLOCKS = 100_000_000
"""More than any pool has; a typing error beyond it would fill the machine's memory."""


def _generators() -> str:
    lines = textwrap.wrap(", ".join(GENERATORS), 72, break_on_hyphens=False)
    return "\b\nGenerators:\n" + "\n".join(f"  {line}" for line in lines) + "\n\n"


@click.command(
    epilog=_generators()
    + examples(
        "radixlab replay shared-prompt --num-blocks 2000",
        "radixlab replay document-qa --limit 200 --num-blocks 4000 --policy lru,naive",
        "radixlab replay conversation_trace.jsonl --limit 2000 --num-blocks 50000 --json",
        "radixlab replay shared-prompt --limit 5 --num-blocks 512 --png cache.png",
        "radixlab replay scan-polluted --num-blocks 1500 --policy lru,slru,adaptive,belady \\",
        "    --plot race.png",
        "radixlab replay tenants --num-blocks 1500 --swap-space 4GiB --kv-bytes-per-token 128KiB",
    )
)
@click.argument("trace")
@click.option(
    "--limit",
    type=AT_LEAST_ONE,
    help="First N requests only.  [default: all; a generator makes 1000]",
)
@click.option(
    "--num-blocks", type=click.IntRange(1, MAX_BLOCKS), required=True, help="Blocks in the pool."
)
@click.option(
    "--block-size",
    type=click.IntRange(1, 65_536),
    default=16,
    show_default=True,
    help="Tokens per block.",
)
@click.option(
    "--policy", "policies", default="lru", show_default=True,
    help=f"What to evict by, a comma-separated list of: {', '.join(manager_names())}.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), help="For generators only.  [default: 0]")
@click.option(
    "--swap-space", type=BYTES,
    help="Host memory for evicted blocks, such as 4GiB; needs --kv-bytes-per-token.  [default: 0]",
)  # fmt: skip
@click.option(
    "--kv-bytes-per-token", type=BYTES,
    help="Keys and values of one token: layers · KV heads · head size · 2 · bytes of a number; "
    "128KiB for Llama-3-8B.",
)  # fmt: skip
@click.option(
    "--strict", is_flag=True,
    help="Refuse a trace file with a line that contradicts itself, instead of noting it.",
)  # fmt: skip
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option(
    "--dot", type=OutputFile(".dot", ".gv"),
    help="Write the final tree of the first policy that has one as Graphviz DOT (.dot or .gv).",
)  # fmt: skip
@click.option(
    "--png", type=OutputFile(".png"), help="Write a picture of that policy's final cache."
)
@click.option(
    "--plot", type=OutputFile(".png", ".svg", ".pdf"),
    help="Draw hit rates over time and against the size of the pool (.png, .svg or .pdf).",
)  # fmt: skip
@click.option(
    "--pool-sizes", help="Sizes for --plot, in blocks.  [default: 1/4 to 4 times --num-blocks]"
)
def replay(
    trace: str,
    limit: int | None,
    num_blocks: int,
    block_size: int,
    policies: str,
    seed: int | None,
    swap_space: int | None,
    kv_bytes_per_token: int | None,
    strict: bool,
    is_json: bool,
    dot: Path | None,
    png: Path | None,
    plot: Path | None,
    pool_sizes: str | None,
) -> None:
    """Run the requests of TRACE through the cache, one after another, and count what it finds.

    TRACE is a file in Mooncake's format (one JSON object a line: timestamp, input_length,
    output_length, hash_ids), or the name of a generator, see below. Of the policies, `belady` knows
    the future and is the bound of all others (not with --swap-space), and `naive` shares nothing.
    """
    names = _policies(policies)
    num_host_blocks = _host_blocks(swap_space, kv_bytes_per_token, block_size)
    config = CacheConfig(num_blocks, block_size, num_host_blocks=num_host_blocks)
    sizes = _pool_sizes(pool_sizes, num_blocks)
    _refuse_options_without_effect(trace, seed, strict, names, plot, pool_sizes, dot or png)
    if num_host_blocks and names == ["naive"]:
        raise click.UsageError("--swap-space has no effect on naive: it caches nothing")
    draw, draw_race = picture_writer(dot, png), race_writer(plot)
    workload = _open(trace, limit, seed or 0, strict)
    runs: list[PolicyRun] = []
    trees: list[KVCacheManager] = []
    for name in names:
        manager = make_manager(name, config, workload.requests)
        runs.append(_run(name, manager, workload))
        trees += [manager] if isinstance(manager, KVCacheManager) and not trees else []
    _refuse_a_run_of_nothing(workload, config, runs[0])
    for note in notes(runs, config):
        click.echo(note, err=True)
    click.echo(as_json(workload, config, runs) if is_json else as_text(workload, config, runs))
    for tree in trees:
        draw(tree)
    if plot:
        title = f"{workload.num_requests:,} requests of {Path(trace).name}, {pools(config)}"
        draw_race(title, runs, _sweep(names, config, sizes, workload, runs))


def _refuse_options_without_effect(
    trace: str,
    seed: int | None,
    strict: bool,
    names: list[str],
    plot: Path | None,
    pool_sizes: str | None,
    picture: Path | None,
) -> None:
    if seed is not None and trace not in GENERATORS and os.path.lexists(trace):
        raise click.UsageError(f"--seed has no effect on a file: {trace}")
    if strict and trace in GENERATORS:
        raise click.UsageError(f"--strict has no effect on a generator: {trace}")
    if pool_sizes is not None and plot is None:
        raise click.UsageError("--pool-sizes has no effect without --plot")
    if picture and names == ["naive"]:
        raise click.UsageError("nothing to draw: the naive manager has no tree")


def _refuse_a_run_of_nothing(workload: Workload, config: CacheConfig, run: PolicyRun) -> None:
    """Fail if no request fits in the pool: a hit rate of nothing would mean nothing."""
    if 0 < workload.num_requests == run.result.rejected_requests:
        least = min(-(-r.num_tokens // config.block_size) for r in workload.requests())
        raise click.UsageError(
            f"none of the {count(workload.num_requests, 'request')} fits in {pools(config)}: "
            f"the smallest needs {count(least, 'block')}"
        )


def _open(trace: str, limit: int | None, seed: int, strict: bool) -> Workload:
    """Open the workload, and say once what is doubtful in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TraceWarning)
        workload = open_workload(trace, limit, seed, strict)
    for note in workload.notes:
        click.echo(f"note: {note}", err=True)
    return workload


def _run(name: str, manager: Manager, workload: Workload, what: str = "") -> PolicyRun:
    with progress(workload.num_requests, what or name, "request") as advance:
        return PolicyRun(name, run_replay(manager, workload.requests(), advance))


def _sweep(
    names: list[str],
    config: CacheConfig,
    sizes: list[int],
    workload: Workload,
    runs: list[PolicyRun],
) -> dict[str, list[tuple[int, float]]]:
    """Run every policy in pools of other sizes: `(blocks, token hit rate)` of each."""
    rates = {run.policy: [(config.num_blocks, run.result.token_hit_rate)] for run in runs}
    rejected = runs[0].result.rejected_requests
    for size in sizes:
        if size == config.num_blocks:
            continue
        pool = replace(config, num_blocks=size)
        if sum(not fits(pool, request) for request in workload.requests()) != rejected:
            click.echo(
                f"note: {size:,} blocks hold other requests than the run: not drawn", err=True
            )
            continue
        for name in names:
            manager = make_manager(name, pool, workload.requests)
            run = _run(name, manager, workload, f"{name}, {size:,} blocks")
            rates[name].append((size, run.result.token_hit_rate))
    return rates


def _host_blocks(swap_space: int | None, kv_bytes_per_token: int | None, block_size: int) -> int:
    if not swap_space:
        if kv_bytes_per_token is not None and swap_space is None:
            raise click.UsageError("--kv-bytes-per-token has no effect without --swap-space")
        return 0
    if kv_bytes_per_token is None:
        raise click.UsageError("--swap-space needs --kv-bytes-per-token to become blocks")
    if not kv_bytes_per_token:
        raise click.UsageError("--kv-bytes-per-token is 0: a token has keys and values")
    num_blocks = swap_space // (kv_bytes_per_token * block_size)
    if not num_blocks:
        block = f"{kv_bytes_per_token * block_size:,} bytes"
        raise click.UsageError(f"--swap-space {swap_space:,} bytes holds no block of {block}")
    if num_blocks > MAX_BLOCKS:
        raise click.UsageError(f"--swap-space is {num_blocks:,} blocks: over {MAX_BLOCKS:,}")
    return num_blocks


def _pool_sizes(text: str | None, num_blocks: int) -> list[int]:
    if text is None:
        return [max(1, int(num_blocks * 2**power)) for power in (-2, -1, -0.5, 0, 0.5, 1, 2)]
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        raise click.UsageError(f"--pool-sizes {text!r}: must be 1000,2000,…") from None
    if wrong := [size for size in sizes if not 1 <= size <= MAX_BLOCKS]:
        raise click.UsageError(f"--pool-sizes: {wrong[0]} is not between 1 and {MAX_BLOCKS:,}")
    if twice := [size for size in sizes if sizes.count(size) > 1]:
        raise click.UsageError(f"--pool-sizes {text!r}: {twice[0]} is named twice")
    return sizes


def _policies(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",")]
    known = manager_names()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            guess = f"; did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"unknown policy {name!r} (known: {', '.join(known)}){guess}")
        if names.count(name) > 1:
            raise click.UsageError(f"--policy {text!r}: {name} is named twice")
    return names
