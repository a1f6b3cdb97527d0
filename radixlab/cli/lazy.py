"""A group of commands that are imported when they are called, and what to install for each.

`radixlab --help` must answer at once and on the barest installation, while a command may need
NumPy, a notebook format or torch. So the group knows each command's module and first help line,
and nothing else about it.
"""

import importlib
import re
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any, NamedTuple

import click

MODULES_OF = {"pillow": "PIL"}
"""Packages whose module has another name."""


class Place(NamedTuple):
    """Where a command is defined."""

    module: str
    attribute: str
    help: str
    """The first line of its help; a test compares it with the command's own."""


class LazyGroup(click.Group):
    """A click group whose commands are imported on first use."""

    def __init__(self, *args: Any, places: Mapping[str, Place], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which they were given."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        if cmd_name not in self.places:
            return None
        place = self.places[cmd_name]
        command: click.Command = getattr(importlib.import_module(place.module), place.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in self.places.items()])


def what_to_install(error: ImportError) -> str:
    """Say which package is missing, and which extra of radixlab brings it.

    >>> what_to_install(ModuleNotFoundError("No module named 'torch'", name="torch"))
    "torch is not installed; it comes with: pip install 'radixlab[model]'"
    """
    module = (error.name or "").partition(".")[0]
    if not module or module == "radixlab":
        return str(error)
    extras = list(_extras_with(module))
    how = f"pip install 'radixlab[{extras[0]}]'" if extras else f"pip install {module}"
    return f"{module} is not installed; it comes with: {how}"


def _extras_with(module: str) -> Iterator[str]:
    """Name the extras that bring a module, those for learners first."""
    try:
        requirements = metadata.requires("radixlab") or []
    except metadata.PackageNotFoundError:
        return
    for requirement in requirements:
        package = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", requirement)
        if package and extra and MODULES_OF.get(package[0], package[0]) == module:
            yield extra[1]
