"""`radixlab replay`: a trace through the cache, under one policy or many."""

import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click

from radixlab.bench.pictures import PictureError, picture_writer, race_writer, reuse_writer
from radixlab.bench.replay_report import pools
from radixlab.bench.report import count
from radixlab.bench.summary_report import SummaryReport
from radixlab.cli.replay_log import Log, open_log
from radixlab.cli.replay_options import (
    MAX_BLOCKS,
    caches,
    entrants,
    pool_sizes,
    refuse_options_beside_a_summary,
    refuse_options_without_effect,
)
from radixlab.cli.replay_page import is_recording, require_page, save_recording, save_run
from radixlab.cli.replays import Replays
from radixlab.cli.shared import AT_LEAST_ONE, BYTES, OutputFile, examples, progress
from radixlab.config import CacheConfig
from radixlab.workloads import (
    GENERATORS,
    Request,
    TraceWarning,
    Workload,
    manager_names,
    open_workload,
    summarize,
)
from radixlab.workloads.replay import fits


def _generators() -> str:
    lines = textwrap.wrap(", ".join(GENERATORS), 72, break_on_hyphens=False)
    return "\b\nGenerators:\n" + "\n".join(f"  {line}" for line in lines) + "\n\n"


@click.command(
    epilog=_generators()
    + examples(
        "radixlab replay shared-prompt --num-blocks 2000",
        "radixlab replay document-qa --limit 200 --num-blocks 4000 --policy lru,naive",
        "radixlab replay scan-polluted --num-blocks 1500 --policy mine.py:MyPolicy,lru,belady",
        "radixlab replay conversation_trace.jsonl --limit 2000 --num-blocks 50000 --json",
        "radixlab replay conversation_trace.jsonl --summary",
        "radixlab replay few-shot --num-blocks 1500 --block-size 16,64 --pool-sizes 1000,3000",
        "radixlab replay shared-prompt --limit 5 --num-blocks 512 --png cache.png",
        "radixlab replay shared-prompt --limit 20 --num-blocks 512 --html run.html",
        "radixlab replay run.jsonl --html run.html",
        "radixlab replay scan-polluted --num-blocks 1500 --policy lru,slru,adaptive,belady \\",
        "    --plot race.png",
        "radixlab replay tenants --num-blocks 1500 --swap-space 4GiB --kv-bytes-per-token 128KiB",
        "radixlab replay requests.jsonl --num-blocks 4000 --tokenizer ./my-model",
    )
)
@click.argument("trace")
@click.option(
    "--limit",
    type=AT_LEAST_ONE,
    help="First N requests only.  [default: all; a generator makes 1000]",
)
@click.option(
    "--num-blocks",
    type=click.IntRange(1, MAX_BLOCKS),
    help="Blocks in the pool.  [required, except with --summary]",
)
@click.option(
    "--block-size", "block_sizes", default="16", show_default=True,
    help="Tokens per block, or several such as 16,64; then --num-blocks is for the first, and the "
    "pools of the others hold as many tokens.",
)  # fmt: skip
@click.option(
    "--policy", "policies", multiple=True, default=["lru"], show_default=True,
    help=f"What to evict by, a comma-separated list of: {', '.join(manager_names())}, or "
    "FILE.py:NAME, a class of your own or a function that makes one.",
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
@click.option(
    "--tokenizer",
    help="For a log of requests: `bytes` (4 bytes are a token), `tiktoken`, or a model's folder.  "
    "[default: bytes]",
)
@click.option(
    "--summary", "is_summary", is_flag=True,
    help="Describe the workload, without running a cache: requests, working set, what is shared, "
    "and how soon it is used again.",
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
    "--html", type=OutputFile(".html", ".htm"),
    help="Write one offline page that plays that policy's run, event by event. TRACE may then be "
    "a recording of `Recorder`, too.",
)  # fmt: skip
@click.option(
    "--plot", type=OutputFile(".png", ".svg", ".pdf"),
    help="Draw hit rates over time and against the size of the pool (.png, .svg or .pdf); with "
    "--summary, what LRU finds against the size of the pool.",
)  # fmt: skip
@click.option(
    "--pool-sizes", "pool_list",
    help="More sizes of the pool, in blocks (of the first block size), for the table and --plot.  "
    "[default: for --plot, 1/4 to 4 times --num-blocks]",
)  # fmt: skip
@click.pass_context
def replay(
    context: click.Context,
    trace: str,
    limit: int | None,
    num_blocks: int | None,
    block_sizes: str,
    policies: tuple[str, ...],
    seed: int | None,
    swap_space: int | None,
    kv_bytes_per_token: int | None,
    strict: bool,
    tokenizer: str | None,
    is_summary: bool,
    is_json: bool,
    dot: Path | None,
    png: Path | None,
    html: Path | None,
    plot: Path | None,
    pool_list: str | None,
) -> None:
    """Run the requests of TRACE through the cache, one after another, and count what it finds.

    TRACE is the name of a generator (see below), a log of requests as `radixlab why` reads it
    (plain or gz), or a file in Mooncake's format: one JSON object a line with timestamp,
    input_length, output_length and hash_ids.

    Of the policies, `belady` knows the future and is the bound of all others (not with
    --swap-space), and `naive` shares nothing. A class of your own that inherits from EvictionPolicy
    runs as it is, as in lesson 05; any other class runs as in exercise 8.5.4. If it fails, the
    results of the other policies are still shown.
    """
    if trace not in GENERATORS and is_recording(trace):
        return save_recording(context, trace, html)
    log = open_log(trace, tokenizer, strict)
    shapes = caches(block_sizes, swap_space, kv_bytes_per_token)
    if plot and len(shapes.block_sizes) > 1:
        raise click.UsageError("--plot draws pools of one block size: name one in --block-size")
    if is_summary:
        refuse_options_beside_a_summary(context)
        refuse_options_without_effect(trace, seed, strict, [], None, None)
        describe = _describer(shapes.block_sizes, is_json, plot)
        return describe(_open(log or trace, limit, seed or 0, strict))
    if num_blocks is None:
        raise click.UsageError("missing option --num-blocks, the size of the pool")
    main = shapes.shape(num_blocks, shapes.block_sizes[0])
    sizes = pool_sizes(pool_list, num_blocks)
    table = shapes.table([num_blocks, *(sizes if pool_list else [])])
    field = entrants(policies)
    names = [entrant.name for entrant in field]
    refuse_options_without_effect(trace, seed, strict, names, swap_space, dot or png or html)
    if html:
        require_page(html)
    draw, draw_race = picture_writer(dot, png), race_writer(plot)
    workload = _open(log or trace, limit, seed or 0, strict)
    _refuse_a_run_of_nothing(workload, main, table)
    replays = Replays(workload, field, main)
    try:
        replays.run(table)
    except KeyboardInterrupt:
        replays.show(is_json, is_complete=False)
        raise
    replays.show(is_json)
    if (dot or png) and not replays.trees:
        raise PictureError("no picture: no policy that has a tree came to the end")
    for tree in replays.trees:
        draw(tree)
    if html:
        save_run(field, main, workload, html)
    if plot:
        title = f"{workload.num_requests:,} requests of {Path(trace).name}, {pools(main)}"
        others = shapes.table(sizes)
        draw_race(title, [run for run in replays.runs if run.config == main], replays.sweep(others))
    context.exit(2 if replays.has_failed else 0)


def _describer(
    block_sizes: Sequence[int], is_json: bool, plot: Path | None
) -> Callable[[Workload], None]:
    """Return what prints the summary of a workload and draws it; a bad `plot` is refused now."""
    draw_reuse = reuse_writer(plot)

    def describe(workload: Workload) -> None:
        report = _summary(workload, block_sizes)
        click.echo(report.as_json() if is_json else report.text())
        draw_reuse(workload.name, report.summaries[0])

    return describe


def _summary(workload: Workload, block_sizes: Sequence[int]) -> SummaryReport:
    summaries = []
    for size in block_sizes:
        with progress(workload.num_requests, f"summary, blocks of {size}", "request") as advance:
            summaries.append(summarize(_counted(workload.requests(), advance), size))
    return SummaryReport(workload, summaries)


def _counted(requests: Iterable[Request], advance: Callable[[], object]) -> Iterator[Request]:
    for request in requests:
        yield request
        advance()


def _refuse_a_run_of_nothing(
    workload: Workload, main: CacheConfig, table: Sequence[CacheConfig]
) -> None:
    """Fail if no request fits in any pool: a hit rate of nothing would mean nothing."""
    if any(fits(config, request) for request in workload.requests() for config in table):
        return
    least = min(-(-r.num_tokens // main.block_size) for r in workload.requests())
    raise click.UsageError(
        f"none of the {count(workload.num_requests, 'request')} fits in {pools(main)}: "
        f"the smallest needs {count(least, 'block')}"
    )


def _open(trace: str | Log, limit: int | None, seed: int, strict: bool) -> Workload:
    """Open the workload, and say once what is doubtful in it."""
    if isinstance(trace, Log):
        return trace.workload(limit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TraceWarning)
        workload = open_workload(trace, limit, seed, strict)
    for note in workload.notes:
        click.echo(f"note: {note}", err=True)
    return workload
