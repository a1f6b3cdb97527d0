"""`radixlab bench`: what is measured, and where the results go."""

import importlib
import os
from dataclasses import replace
from pathlib import Path

import click

from radixlab.bench.pictures import PictureError, require_writable
from radixlab.cli.bench_route import bench_route
from radixlab.cli.bench_shared import JSON_TABLES, WRITE_RESULTS, NotRunnable, given, show
from radixlab.cli.lazy import WholeHelp
from radixlab.cli.shared import AT_LEAST_ONE, OneOf, OutputFile, examples, progress
from radixlab.extras import what_to_install


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

    options = given(
        rounds=rounds, limit=limit, quick=quick or None, peers="DIR" if peers else None,
        fast="PYTHON" if fast else None,
    )  # fmt: skip
    command = " ".join(["radixlab bench tree", *options])
    if results:
        require_writable(results)
    report = measure_tree(command, rounds, limit, quick, progress, peers, fast)
    show("bench tree", report, is_json, results)


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
        options = given(rounds=rounds, quick=quick or None)
        if results:
            require_writable(results)
        report = measure(" ".join([f"radixlab bench {name}", *options]), rounds, quick, progress)
        show(f"bench {name}", report, is_json, results)


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
    options = given(device=device if device != "cpu" else None, rounds=rounds, quick=quick or None)
    if results:
        require_writable(results)
    command = " ".join(["radixlab bench attention", *options])
    try:
        report = measure_attention(command, rounds, quick, progress, device)
    except BackendError as error:
        raise NotRunnable(str(error)) from None
    section = "bench attention" if device == "cpu" else f"bench attention {device}"
    show(section, report, is_json, results)


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

    options = given(rounds=rounds, quick=quick or None)
    if results:
        require_writable(results)
    command = " ".join(["radixlab bench claims", *options])
    try:
        report = measure_claims(command, rounds, quick, progress, plot)
    except PictureError as error:
        raise click.ClickException(str(error)) from None
    if results and plot:
        beside = os.path.relpath(plot, results.parent)
        report = replace(report, picture=Path(beside).as_posix())
    show("bench claims", report, is_json, results)


bench.add_command(bench_route)
