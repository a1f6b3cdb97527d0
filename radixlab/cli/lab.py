"""`radixlab lab`: JupyterLab on the learner's copy of the first notebook, in `work/`."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from radixlab.cli import jupyter
from radixlab.cli.shared import examples
from radixlab.grade import copies
from radixlab.home import learner_home

FIRST_NOTEBOOK = "notebooks/00_start_here.ipynb"
FIRST_COPY = "work/00_start_here.ipynb"


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    epilog=examples("radixlab lab", "radixlab lab --no-browser --port 18888 --token T"),
)
@click.option("--port", type=click.IntRange(1, 65_535), default=8888, show_default=True)
@click.option("--token", help="The password in the URL. Made up by Jupyter if not given.")
@click.option("--ip", default="localhost", show_default=True, help="Address to listen on.")
@click.option("--no-browser", is_flag=True, help="Only print the URL.")
@click.argument("jupyter_args", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTER ARGS]...")
def lab(
    port: int, token: str | None, ip: str, no_browser: bool, jupyter_args: tuple[str, ...]
) -> None:
    """Open JupyterLab on your copy of the first lesson. Further arguments go to JupyterLab."""
    root = course_root()
    for copy in copies.start(root):
        if copy.state == copies.BEHIND:
            click.echo(copies.newer_line(copy.path), err=True)
    if importlib.util.find_spec("jupyterlab") is None:
        raise click.UsageError("no JupyterLab: pip install jupyterlab, or use `make lab`")
    options = [f"--ServerApp.port={port}", f"--ServerApp.ip={ip}"]
    if token is not None:
        options.append(f"--IdentityProvider.token={token}")
    if no_browser:
        options.append("--no-browser")
    _become(
        lab_command(root, [*options, *jupyter_args]),
        os.environ | jupyter.settings(_jupyter_home(root)),
    )


def lab_command(root: Path, options: Sequence[str]) -> list[str]:
    """Return the command that serves `root` with JupyterLab, the first lesson open."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}"]
    command.append(f"--LabApp.default_url=/lab/tree/{FIRST_COPY}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container there is nobody else to be
    return [*command, *options]


def course_root() -> Path:
    """Find the folder that holds the notebooks: from here upward, else from the package."""
    places = [Path.cwd(), Path(__file__).resolve().parent]
    for folder in (folder for place in places for folder in (place, *place.parents)):
        if (folder / FIRST_NOTEBOOK).is_file():
            return folder
    raise click.UsageError(f"no {FIRST_NOTEBOOK} here or above: run this in the repository")


def _jupyter_home(root: Path) -> Path:
    named = os.environ.get("RADIXLAB_HOME")
    learner = learner_home() if named else root / "work" / ".radixlab"
    return learner.resolve() / "jupyter"


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Replace this process, so that signals reach JupyterLab; on Windows, wait for it."""
    if os.name == "posix":
        os.execve(command[0], command, environment)
    sys.exit(subprocess.call(command, env=environment))
