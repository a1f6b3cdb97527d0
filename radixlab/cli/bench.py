"""`radixlab bench`: what is measured, and where the results go."""

import importlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radixlab.bench.pictures import PictureError, require_writable
from radixlab.bench.report import Report, write_section
from radixlab.cli.lazy import WholeHelp
from radixlab.cli.shared import (
    AT_LEAST_ONE,
    OUTPUT_FILE,
    OneOf,
    OutputFile,
    examples,
    progress,
)
from radixlab.extras import what_to_install

if TYPE_CHECKING:
    from radixlab.route.wind import ReplicaModel

ABOVE_ZERO = click.FloatRange(min=0, min_open=True)
AT_LEAST_ZERO = click.FloatRange(min=0)


class NotRunnable(click.ClickException):
    """A benchmark needs what this machine has not."""


@click.group(cls=WholeHelp, invoke_without_command=True)
@click.pass_context
def bench(context: click.Context) -> None:
    """Measure: medians, their spread, ratios inside one run. Without a name, everything."""
    if context.invoked_subcommand is None:
        for command in bench.commands.values():
            try:
                context.invoke(command)
            except NotRunnable as error:
                click.echo(f"bench {command.name}: not run: {error.format_message()}", err=True)


JSON_TABLES = click.option(
    "--json", "is_json", is_flag=True, help="Print one JSON object instead of tables."
)
WRITE_RESULTS = click.option(
    "--write",
    "results",
    type=OUTPUT_FILE,
    help="Also write them to a section of this Markdown file.",
)


@bench.command(
    "tree",
    epilog=examples(
        "radixlab bench tree --quick",
        "radixlab bench tree --write benchmarks/RESULTS.md",
        "radixlab bench tree --peers DIR    see benchmarks/peers/README.md",
    ),
)
@click.option("--rounds", type=AT_LEAST_ONE, help="Rounds of turns.  [default: 5; 1 if --quick]")
@click.option(
    "--limit", type=AT_LEAST_ONE, help="Requests per replay.  [default: 2000; 200 if --quick]"
)
@click.option(
    "--quick", is_flag=True, help="A look in seconds: few requests, trees up to 100,000 blocks."
)
@click.option(
    "--peers",
    envvar="RADIXLAB_PEERS",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Also run the managers of SGLang and vLLM, from wheels unpacked in this folder; "
    "RADIXLAB_PEERS may name it too.",
)
@click.option(
    "--fast",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PYTHON",
    help="The Python of the compiled build.  [default: that of .venv-fast, from `make fast`]",
)
@JSON_TABLES
@WRITE_RESULTS
def bench_tree(
    rounds: int | None,
    limit: int | None,
    quick: bool,
    peers: Path | None,
    fast: Path | None,
    is_json: bool,
    results: Path | None,
) -> None:
    """Measure what managing the cache costs a request, and whether the tree slows as it grows."""
    from radixlab.bench.tree_report import measure_tree

    given = _given(
        rounds=rounds, limit=limit, quick=quick or None, peers="DIR" if peers else None,
        fast="PYTHON" if fast else None,
    )  # fmt: skip
    command = " ".join(["radixlab bench tree", *given])
    if results:
        require_writable(results)
    report = measure_tree(command, rounds, limit, quick, progress, peers, fast)
    _show("bench tree", report, is_json, results)


def _add(name: str, module: str, what: str) -> None:
    """Add a benchmark that needs no options of its own: `module.measure_name` makes its report."""

    @bench.command(
        name,
        help=what,
        epilog=examples(
            f"radixlab bench {name} --quick", f"radixlab bench {name} --write benchmarks/RESULTS.md"
        ),
    )
    @click.option(
        "--rounds",
        type=AT_LEAST_ONE,
        help="More rounds give steadier figures.  [default: depends on the benchmark]",
    )
    @click.option("--quick", is_flag=True, help="A look in seconds: less of everything.")
    @JSON_TABLES
    @WRITE_RESULTS
    def command(rounds: int | None, quick: bool, is_json: bool, results: Path | None) -> None:
        try:
            measure = getattr(
                importlib.import_module(f"radixlab.bench.{module}"), f"measure_{name}"
            )
        except ImportError as error:
            raise NotRunnable(what_to_install(error) or str(error)) from None
        given = _given(rounds=rounds, quick=quick or None)
        if results:
            require_writable(results)
        report = measure(" ".join([f"radixlab bench {name}", *given]), rounds, quick, progress)
        _show(f"bench {name}", report, is_json, results)


for bench_name, (bench_module, bench_what) in {
    "cow": (
        "cow_report",
        "Measure copy-on-write: what a write costs, and what a fork does not, beside eager copies.",
    ),
    "lookup": ("lookup", "Measure look-ups in batches against one by one."),
    "codec": ("codec", "Measure how small block ids get, and what packing them costs."),
    "evict": ("evict", "Measure what a victim costs under each policy, as the cache grows."),
    "policies": (
        "policies_report",
        "Race the eviction policies between LRU and Belady's optimum, on seeds not tuned on.",
    ),
    "serve": (
        "serve",
        "Measure what the server costs beside the engine: CPU time for a request and a token.",
    ),
    "replicas": (
        "replicas",
        "Measure three replicas on a real Ray cluster behind one router after the other.",
    ),
    "viz": (
        "viz",
        "Measure the live view: what it costs the engine, and how fast it paints in Chromium.",
    ),
    "e2e": (
        "e2e",
        "Measure the engine over a model: first token and throughput, with the cache on and off.",
    ),
}.items():
    _add(bench_name, bench_module, bench_what)


@bench.command(
    "attention",
    epilog=examples(
        "radixlab bench attention --quick",
        "radixlab bench attention --device cuda --write benchmarks/RESULTS.md",
    ),
)
@click.option("--device", type=OneOf(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--rounds", type=AT_LEAST_ONE, help="Rounds of turns.  [default: 5; 21 on a GPU]")
@click.option("--quick", is_flag=True, help="A look in seconds: short prompts.")
@JSON_TABLES
@WRITE_RESULTS
def bench_attention(
    device: str, rounds: int | None, quick: bool, is_json: bool, results: Path | None
) -> None:
    """Measure attention over shared prefixes: each read once, or again for every request."""
    try:
        from radixlab.attention import BackendError
        from radixlab.bench.attention import measure_attention
    except ImportError as error:
        raise NotRunnable(what_to_install(error) or str(error)) from None
    given = _given(device=device if device != "cpu" else None, rounds=rounds, quick=quick or None)
    if results:
        require_writable(results)
    command = " ".join(["radixlab bench attention", *given])
    try:
        report = measure_attention(command, rounds, quick, progress, device)
    except BackendError as error:
        raise NotRunnable(str(error)) from None
    section = "bench attention" if device == "cpu" else f"bench attention {device}"
    _show(section, report, is_json, results)


@bench.command(
    "claims",
    epilog=examples(
        "radixlab bench claims --quick",
        "radixlab bench claims --write benchmarks/RESULTS.md --plot benchmarks/images/claims.png",
    ),
)
@click.option("--rounds", type=AT_LEAST_ONE, help="Rounds of turns.  [default: 5; 1 if --quick]")
@click.option("--quick", is_flag=True, help="A look in seconds: few requests, one round.")
@click.option(
    "--plot", type=OutputFile(".png", ".svg", ".pdf"), help="Draw where claims hold to this file."
)
@JSON_TABLES
@WRITE_RESULTS
def bench_claims(
    rounds: int | None, quick: bool, plot: Path | None, is_json: bool, results: Path | None
) -> None:
    """Put the claims of prefix caching on trial: each with its control, and when it fails."""
    from radixlab.bench.claims_report import measure_claims

    given = _given(rounds=rounds, quick=quick or None)
    if results:
        require_writable(results)
    command = " ".join(["radixlab bench claims", *given])
    try:
        report = measure_claims(command, rounds, quick, progress, plot)
    except PictureError as error:
        raise click.ClickException(str(error)) from None
    if results and plot:
        beside = os.path.relpath(plot, results.parent)
        report = replace(report, picture=Path(beside).as_posix())
    _show("bench claims", report, is_json, results)


@bench.command(
    "route",
    epilog=examples(
        "radixlab bench route",
        "radixlab bench route --replicas 64 --rules session-hash,ours-events --plot route.png",
        "radixlab bench route --replicas 1000 --requests 1000000 --write benchmarks/RESULTS.md",
    ),
)
@click.option(
    "--traffic",
    metavar="NAME",
    help="conversation, nothing-shared, one-hot-prefix, a generator of `radixlab replay`, or a "
    "trace file.  [default: conversation; multi-turn-chat where that trace is missing]",
)
@click.option(
    "--replicas",
    type=AT_LEAST_ONE,
    default=16,
    show_default=True,
    help="Simulated engines, each with a cache of its own.",
)
@click.option(
    "--requests",
    type=AT_LEAST_ONE,
    default=12_000,
    show_default=True,
    help="Requests for each rule; a trace is repeated with fresh sessions.",
)
@click.option("--rules", metavar="LIST", help="Names with commas.  [default: all eight]")
@click.option(
    "--load",
    type=click.FloatRange(min=0, max=100, min_open=True),
    help="Pace of the traffic: prompt work that arrives, as a share of what the replicas can "
    "compute.  [default: the trace's own clock; 0.5 where there is none]",
)
@click.option(
    "--cache-tokens",
    type=AT_LEAST_ONE,
    help="Tokens that fit into the cache of a replica.  [default: 488000]",
)
@click.option(
    "--prefill",
    type=ABOVE_ZERO,
    help="Prompt tokens that a replica computes a second.  [default: 7000]",
)
@click.option(
    "--decode-ms", type=AT_LEAST_ZERO, help="Milliseconds for a token of an answer.  [default: 25]"
)
@click.option(
    "--slots", type=AT_LEAST_ONE, help="Most requests that run on a replica.  [default: 32]"
)
@click.option(
    "--event-delay-ms",
    type=AT_LEAST_ZERO,
    help="Milliseconds until a router hears of a KV event.  [default: 100]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the traffic, and of rules that choose at random.",
)
@click.option(
    "--jobs",
    type=AT_LEAST_ONE,
    help="Processes that run rules side by side.  [default: 2 if there is much to do]",
)
@click.option("--controls/--no-controls", default=True, help="Also run the two controls.")
@click.option(
    "--plot", type=OutputFile(".png", ".svg", ".pdf"), help="Draw the rules into this file."
)
@JSON_TABLES
@WRITE_RESULTS
def bench_route(
    traffic: str | None,
    replicas: int,
    requests: int,
    rules: str | None,
    load: float | None,
    seed: int,
    jobs: int | None,
    controls: bool,
    plot: Path | None,
    is_json: bool,
    results: Path | None,
    **replica: float | None,
) -> None:
    """Measure routers in simulated time: hit rate, balance and waits of eight rules."""
    from radixlab.bench.route import Trial, check_rules, default_traffic
    from radixlab.bench.route_report import measure_route
    from radixlab.route.rules import RULES

    names = list(RULES) if rules is None else check_rules(rules)
    trial = Trial(
        default_traffic() if traffic is None else traffic,
        requests,
        replicas,
        _replica_model(**replica),
        load,
        seed,
    )
    given = _given(
        traffic=traffic, replicas=replicas if replicas != 16 else None,
        requests=requests if requests != 12_000 else None, rules=rules, load=load,
        **replica, seed=seed or None, no_controls=None if controls else True,
    )  # fmt: skip
    command = " ".join(["radixlab bench route", *given])
    if results:
        require_writable(results)
    report = measure_route(command, trial, names, progress, jobs, controls, plot, results)
    _show("bench route", report, is_json, results)


def _replica_model(
    cache_tokens: float | None,
    prefill: float | None,
    decode_ms: float | None,
    slots: float | None,
    event_delay_ms: float | None,
) -> "ReplicaModel":
    """Return a replica with what was given, and the defaults for the rest."""
    from radixlab.route.wind import ReplicaModel

    given = {
        "cache_tokens": cache_tokens,
        "prefill_tokens_per_s": prefill,
        "decode_s_per_token": None if decode_ms is None else decode_ms / 1000,
        "num_slots": slots,
        "event_delay_s": None if event_delay_ms is None else event_delay_ms / 1000,
    }
    return ReplicaModel(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # counts are ints: click has read them


def _show(section: str, report: Report, is_json: bool, results: Path | None) -> None:
    if results:
        write_section(results, section, report.markdown())
    click.echo(json.dumps(report.as_json()) if is_json else report.text())


def _given(**options: float | bool | str | None) -> Iterator[str]:
    for option, value in options.items():
        name = option.replace("_", "-")
        if value is not None:
            yield f"--{name}" if value is True else f"--{name} {value}"
