"""The command line: `radixlab lab | start | grade | history | restore | reset | replay | …`.

It turns words into calls and results into words; what a notebook could want to import is further
down. Data goes to stdout; progress, notes and errors go to stderr. A caller's mistake is one line,
`error: …`, and exit code 2.
"""

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import NoReturn

import click

import radixlab
from radixlab.bench.pictures import PictureError
from radixlab.cache import CacheError
from radixlab.cli.bench import bench
from radixlab.cli.grade import grade_command
from radixlab.cli.lab import lab, lab_command
from radixlab.cli.model import model
from radixlab.cli.replay import replay
from radixlab.cli.shared import exit_with
from radixlab.cli.work import history, reset, restore, start
from radixlab.config import ConfigError
from radixlab.grade.box import BoxError
from radixlab.grade.submission import SubmissionError
from radixlab.workloads import TraceError, UnknownWorkloadError

__all__ = ["cli", "lab_command", "main"]

CALLERS_MISTAKES = (
    TraceError,
    UnknownWorkloadError,
    ConfigError,
    CacheError,
    PictureError,
    SubmissionError,
    BoxError,
)


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
    except CALLERS_MISTAKES as error:
        exit_with(f"error: {error}", 2)
    except OSError as error:
        exit_with(
            f"error: {error.filename}: {error.strerror}" if error.filename else f"error: {error}", 2
        )
    except MemoryError:
        exit_with("error: not enough memory: try fewer blocks", 2)
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


for command in (lab, start, grade_command, history, restore, reset, replay, bench, model):
    cli.add_command(command)
