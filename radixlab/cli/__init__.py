"""The command line: `radixlab lab | start | grade | progress | history | restore | reset | …`.

It turns words into calls and results into words; what a notebook could want to import is further
down. Data goes to stdout; progress, notes and errors go to stderr. A caller's mistake is one line,
`error: …`, and exit code 2. Commands are imported when they are called, so that each needs only
the packages that it uses.
"""

import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from typing import NoReturn

import click

import radixlab
from radixlab.cli.lazy import LazyGroup, Place
from radixlab.cli.shared import exit_with
from radixlab.extras import what_to_install

__all__ = ["cli", "main"]

CALLERS_MISTAKES = {
    "radixlab.bench.own_policy": ("OwnPolicyError",),
    "radixlab.bench.pictures": ("PictureError",),
    "radixlab.cache.errors": ("CacheError",),
    "radixlab.certify.outcome": ("CertifyError",),
    "radixlab.config": ("ConfigError",),
    "radixlab.grade.box.process": ("BoxError",),
    "radixlab.grade.cells": ("SubmissionError",),
    "radixlab.load.client": ("LoadError",),
    "radixlab.model.errors": ("ModelError",),
    "radixlab.observe.kv.errors": ("KVEventError",),
    "radixlab.observe.monitor.exposition": ("MonitorError",),
    "radixlab.observe.wire": ("RecordingError",),
    "radixlab.route.errors": ("RouteError",),
    "radixlab.why.errors": ("WhyError",),
    "radixlab.workloads.doubts": ("TraceError",),
    "radixlab.workloads.source": ("UnknownWorkloadError",),
}
"""Exceptions that tell of the caller's input, by module; none is imported for their sake."""

COMMANDS = {
    "lab": Place("radixlab.cli.lab", "lab", "Open JupyterLab on your copy of the first lesson."),
    "start": Place(
        "radixlab.cli.work",
        "start",
        "Copy lessons and exercises into work/, which is yours; what you began is never touched.",
    ),
    "grade": Place(
        "radixlab.cli.grade",
        "grade_command",
        "Grade exercises; the exit code is 0 when everything asked for passed, else 1.",
    ),
    "progress": Place(
        "radixlab.cli.work",
        "progress",
        "Show how far you are: guesses in the lessons, points in the exercises, and what is next.",
    ),
    "history": Place(
        "radixlab.cli.work",
        "history",
        "List the versions that were graded in a notebook, the latest last.",
    ),
    "restore": Place(
        "radixlab.cli.work",
        "restore",
        "Put a version back into your notebook: the best one, or the one numbered VERSION.",
    ),
    "reset": Place(
        "radixlab.cli.work",
        "reset",
        "Begin a lesson or an exercise again, in its newest version; what you wrote is kept.",
    ),
    "replay": Place(
        "radixlab.cli.replay",
        "replay",
        "Run the requests of TRACE through the cache, one after another, and count what it finds.",
    ),
    "load": Place(
        "radixlab.cli.load",
        "load",
        "Send a workload's requests to the server at URL, and measure the answers.",
    ),
    "watch": Place(
        "radixlab.cli.watch",
        "watch",
        "Show the prefix tree of the engines that publish KV events at these endpoints.",
    ),
    "monitor": Place(
        "radixlab.cli.monitor",
        "monitor",
        "Watch the prefix cache of a server: radixlab, vLLM or SGLang.",
    ),
    "why": Place(
        "radixlab.cli.why",
        "why",
        "Say why prompts missed the prefix cache, from a log of requests.",
    ),
    "certify": Place(
        "radixlab.cli.certify",
        "certify_command",
        "Check from outside that a server's prefix cache does what it says.",
    ),
    "rules": Place(
        "radixlab.cli.rules",
        "rules_command",
        "Print the rules that the cache keeps: all, those of a LETTER, or one by its ID in full.",
    ),
    "model": Place(
        "radixlab.cli.model", "model", "List the models that the course knows, or fetch one."
    ),
    "serve": Place(
        "radixlab.cli.serve",
        "serve",
        "Serve MODEL with OpenAI's API: `tiny`, `smollm2`, or a folder in Hugging Face's format.",
    ),
    "bench": Place(
        "radixlab.cli.bench",
        "bench",
        "Run the benchmarks: medians, their spread, and ratios inside one run.",
    ),
    "doctor": Place(
        "radixlab.cli.doctor",
        "doctor",
        "Say what works on this machine, and what to do about the rest.",
    ),
}


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 2 the caller's mistake, 130 interrupted."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without "≤" gets "?", no traceback
    try:
        code = cli.main(args, prog_name="radixlab", standalone_mode=False)
    except click.Abort:
        exit_with("interrupted", 130)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context else ""
        exit_with(f"error: {error.format_message()}{hint}", 2)
    except ImportError as error:
        missing = what_to_install(error)
        if missing is None:
            raise
        exit_with(f"error: {missing}", 2)
    except OSError as error:
        exit_with(
            f"error: {error.filename}: {error.strerror}" if error.filename else f"error: {error}", 2
        )
    except MemoryError:
        exit_with("error: not enough memory: try fewer blocks", 2)
    except Exception as error:
        if not isinstance(error, tuple(_callers_mistakes())):
            raise
        exit_with(f"error: {error}", 2)
    sys.exit(code if isinstance(code, int) else 0)


def _callers_mistakes() -> Iterator[type[Exception]]:
    """Yield those whose modules are loaded: no other can have been raised."""
    for module, names in CALLERS_MISTAKES.items():
        if module in sys.modules:
            yield from (getattr(sys.modules[module], name) for name in names)


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
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
