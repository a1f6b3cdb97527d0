"""A group of commands that are imported when they are called.

`radixlab --help` must answer at once and on the barest installation, while a command may need
NumPy, a notebook format or torch. So the group knows each command's module and first help line,
and nothing else about it.
"""

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from radixlab.choices import not_one_of


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
        """Import a command; return None for an unknown name."""
        if cmd_name not in self.places:
            return None
        place = self.places[cmd_name]
        command: click.Command = getattr(importlib.import_module(place.module), place.attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; fail with a list of the known ones."""
        refuse_unknown(self, ctx, args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.help) for name, place in self.places.items()])


class WholeHelp(click.Group):
    """A click group that lists the first sentence of each command's help whole, never cut off."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; fail with a list of the known ones."""
        refuse_unknown(self, ctx, args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, c.get_short_help_str(limit=1000)) for name, c in self.commands.items()]
            )


def refuse_unknown(group: click.Group, context: click.Context, word: str) -> None:
    """Fail if a word is neither a command of the group nor an option."""
    known = group.list_commands(context)
    if word not in known and not word.startswith("-") and not context.resilient_parsing:
        raise click.UsageError(f"command {not_one_of(word, known)}", context)
