"""The command line: `radixlab lab | replay | bench`.

It turns words into calls and results into words; what a notebook could want to import is further
down. Data goes to stdout; progress, notes and errors go to stderr. A caller's mistake is one line,
`error: …`, and exit code 2.
"""

import difflib
import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import click
from tqdm import tqdm

import radixlab
from radixlab.bench.pictures import PictureError, picture_writer, require_writable
from radixlab.bench.replay_report import PolicyRun, as_json, as_text, rejections
from radixlab.bench.report import Report, write_section
from radixlab.cache import CacheError, KVCacheManager
from radixlab.config import CacheConfig, ConfigError
from radixlab.workloads import (
    GENERATORS,
    Manager,
    TraceError,
    UnknownWorkloadError,
    Workload,
    make_manager,
    manager_names,
    open_workload,
)
from radixlab.workloads import replay as run_replay

MAX_BLOCKS = 100_000_000
"""More than any pool has; a typing error beyond it would fill the machine's memory."""
FIRST_NOTEBOOK = "notebooks/00_start_here.ipynb"
CALLERS_MISTAKES = (TraceError, UnknownWorkloadError, ConfigError, CacheError, PictureError)

OUTPUT_FILE = click.Path(dir_okay=False, path_type=Path)
AT_LEAST_ONE = click.IntRange(min=1)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 2 the caller's mistake, 130 interrupted."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without "≤" gets "?", no traceback
    try:
        code = cli.main(args, prog_name="radixlab", standalone_mode=False)
    except click.Abort:
        _exit("interrupted", 130)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context else ""
        _exit(f"error: {error.format_message()}{hint}", 2)
    except CALLERS_MISTAKES as error:
        _exit(f"error: {error}", 2)
    except OSError as error:
        _exit(
            f"error: {error.filename}: {error.strerror}" if error.filename else f"error: {error}", 2
        )
    except MemoryError:
        _exit("error: not enough memory: try fewer blocks", 2)
    sys.exit(code if isinstance(code, int) else 0)


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start here: radixlab lab",
)
@click.version_option(radixlab.__version__, prog_name="radixlab")
@click.pass_context
def cli(context: click.Context) -> None:
    """Watch, break and build RadixAttention: sharing the KV cache between requests."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _examples(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _generators() -> str:
    lines = textwrap.wrap(", ".join(GENERATORS), 72, break_on_hyphens=False)
    return "\b\nGenerators:\n" + "\n".join(f"  {line}" for line in lines) + "\n\n"


# ---- replay


@cli.command(
    epilog=_generators()
    + _examples(
        "radixlab replay shared-prompt --num-blocks 2000",
        "radixlab replay document-qa --limit 200 --num-blocks 4000 --policy lru,naive",
        "radixlab replay conversation_trace.jsonl --limit 2000 --num-blocks 50000 --json",
        "radixlab replay shared-prompt --limit 5 --num-blocks 512 --png cache.png",
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
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="For generators."
)
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option(
    "--dot",
    type=OUTPUT_FILE,
    help="Write the first policy's tree at the end as Graphviz DOT.",
)
@click.option(
    "--png", type=OUTPUT_FILE, help="Write a picture of the first policy's cache at the end."
)
def replay(
    trace: str,
    limit: int | None,
    num_blocks: int,
    block_size: int,
    policies: str,
    seed: int,
    is_json: bool,
    dot: Path | None,
    png: Path | None,
) -> None:
    """Run the requests of TRACE through the cache, one after another, and count what it finds.

    TRACE is a file in Mooncake's format (one JSON object a line: timestamp, input_length,
    output_length, hash_ids), or the name of a generator, see below.
    """
    names = _policies(policies)
    config = CacheConfig(num_blocks=num_blocks, block_size=block_size)
    if (dot or png) and names == ["naive"]:
        raise click.UsageError("nothing to draw: the naive manager has no tree")
    draw = picture_writer(dot, png)
    workload = open_workload(trace, limit, seed)
    runs: list[PolicyRun] = []
    trees: list[KVCacheManager] = []
    for name in names:
        manager = make_manager(name, config, workload.requests)
        runs.append(_run(name, manager, workload))
        trees += [manager] if isinstance(manager, KVCacheManager) and not trees else []
    for note in rejections(runs, config):
        click.echo(note, err=True)
    click.echo(as_json(workload, config, runs) if is_json else as_text(workload, config, runs))
    for tree in trees:
        draw(tree)


def _run(name: str, manager: Manager, workload: Workload) -> PolicyRun:
    with _progress(workload.num_requests, name, "request") as advance:
        return PolicyRun(name, run_replay(manager, workload.requests(), advance))


def _policies(text: str) -> list[str]:
    names = list(dict.fromkeys(part.strip() for part in text.split(",")))
    known = manager_names()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            guess = f"; did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"unknown policy {name!r} (known: {', '.join(known)}){guess}")
    return names


# ---- bench


@cli.group(invoke_without_command=True)
@click.pass_context
def bench(context: click.Context) -> None:
    """Measure: medians, their spread, ratios inside one run. Without a name, everything."""
    if context.invoked_subcommand is None:
        context.invoke(bench_tree)
        context.invoke(bench_cow)


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
    epilog=_examples(
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
@JSON_TABLES
@WRITE_RESULTS
def bench_tree(
    rounds: int | None,
    limit: int | None,
    quick: bool,
    peers: Path | None,
    is_json: bool,
    results: Path | None,
) -> None:
    """Measure what managing the cache costs a request, and whether the tree slows as it grows."""
    from radixlab.bench.tree_report import measure_tree

    given = _given(rounds=rounds, limit=limit, quick=quick or None, peers="DIR" if peers else None)
    command = " ".join(["radixlab bench tree", *given])
    if results:
        require_writable(results)
    report = measure_tree(command, rounds, limit, quick, _progress, peers)
    _show("bench tree", report, is_json, results)


@bench.command(
    "cow",
    epilog=_examples(
        "radixlab bench cow --quick", "radixlab bench cow --write benchmarks/RESULTS.md"
    ),
)
@click.option("--rounds", type=AT_LEAST_ONE, help="Rounds of turns.  [default: 5; 1 if --quick]")
@click.option("--quick", is_flag=True, help="A look in seconds: fewer samples.")
@JSON_TABLES
@WRITE_RESULTS
def bench_cow(rounds: int | None, quick: bool, is_json: bool, results: Path | None) -> None:
    """Measure copy-on-write: what a write costs, and what a fork does not, beside eager copies."""
    from radixlab.bench.cow_report import measure_cow

    command = " ".join(["radixlab bench cow", *_given(rounds=rounds, quick=quick or None)])
    if results:
        require_writable(results)
    report = measure_cow(command, rounds, quick, _progress)
    _show("bench cow", report, is_json, results)


def _show(section: str, report: Report, is_json: bool, results: Path | None) -> None:
    if results:
        write_section(results, section, report.markdown())
    click.echo(json.dumps(report.as_json()) if is_json else report.text())


def _given(**options: int | bool | str | None) -> Iterator[str]:
    for name, value in options.items():
        if value is not None:
            yield f"--{name}" if value is True else f"--{name} {value}"


# ---- lab


@cli.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    epilog=_examples("radixlab lab", "radixlab lab --no-browser --port 18888 --token T"),
)
@click.option("--port", type=click.IntRange(1, 65_535), default=8888, show_default=True)
@click.option("--token", help="The password in the URL. Made up by Jupyter if not given.")
@click.option("--ip", default="localhost", show_default=True, help="Address to listen on.")
@click.option("--no-browser", is_flag=True, help="Only print the URL.")
@click.argument("jupyter_args", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTER ARGS]...")
def lab(
    port: int, token: str | None, ip: str, no_browser: bool, jupyter_args: tuple[str, ...]
) -> None:
    """Open JupyterLab on the first notebook. What follows is passed on to JupyterLab."""
    root = _course_root()
    if importlib.util.find_spec("jupyterlab") is None:
        raise click.UsageError("no JupyterLab: pip install jupyterlab, or use `make lab`")
    options = [f"--ServerApp.port={port}", f"--ServerApp.ip={ip}"]
    if token is not None:
        options.append(f"--IdentityProvider.token={token}")
    if no_browser:
        options.append("--no-browser")
    _become(lab_command(root, [*options, *jupyter_args]), os.environ | _lab_settings(root))


def lab_command(root: Path, options: Sequence[str]) -> list[str]:
    """Return the command that serves `root` with JupyterLab, the first notebook open."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}"]
    command.append(f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container there is nobody else to be
    return [*command, *options]


def _course_root() -> Path:
    """Find the folder that holds the notebooks: from here upward, else from the package."""
    places = [Path.cwd(), Path(__file__).resolve().parent]
    for folder in (folder for place in places for folder in (place, *place.parents)):
        if (folder / FIRST_NOTEBOOK).is_file():
            return folder
    raise click.UsageError(f"no {FIRST_NOTEBOOK} here or above: run this in the repository")


def _lab_settings(root: Path) -> dict[str, str]:
    """Return the environment in which JupyterLab does not ask about its newsletter.

    The setting has to be a file; where none can be written, JupyterLab asks.
    """
    named = os.environ.get("RADIXLAB_HOME")
    learner = Path(named).expanduser() if named else root / "work" / ".radixlab"
    home = learner.resolve() / "jupyter"
    page = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    try:
        (home / "labconfig").mkdir(parents=True, exist_ok=True)
        (home / "labconfig" / "page_config.json").write_text(json.dumps(page), encoding="utf-8")
    except OSError:
        return {}
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    return {"JUPYTER_CONFIG_PATH": os.pathsep.join([str(home), *([others] if others else [])])}


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Replace this process, so that signals reach JupyterLab; on Windows, wait for it."""
    if os.name == "posix":
        os.execve(command[0], command, environment)
    sys.exit(subprocess.call(command, env=environment))


# ---- shared


def _exit(message: str, code: int) -> NoReturn:
    click.echo(" ".join(message.split()), err=True)
    sys.exit(code)


@contextmanager
def _progress(total: int, what: str, unit: str) -> Iterator[Callable[[], object]]:
    """Show a bar on stderr, where that is a terminal; yields what to call after each unit."""
    with tqdm(total=total, desc=what, unit=unit, file=sys.stderr, disable=None, leave=False) as bar:
        yield bar.update
