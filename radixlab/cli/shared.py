"""What the commands have in common: options, examples, progress bars, and how a program ends."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, NoReturn

import click

from radixlab.choices import not_one_of

AT_LEAST_ONE = click.IntRange(min=1)


class Bytes(click.ParamType[int]):
    """A number of bytes as people type it: 4096, 128KiB, 1.5G."""

    name = "bytes"
    _UNITS: ClassVar = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12} | {
        "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40
    }  # fmt: skip

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the number; fail with one line for anything else."""
        text = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?i?)b?", str(value).strip().lower())
        if text is None or text[2] == "i":
            self.fail(f"{value!r} is not a number of bytes: write 4096, 128KiB or 1.5G", param, ctx)
        return int(float(text[1]) * self._UNITS[text[2]])


BYTES = Bytes()


class OneOf(click.Choice[str]):
    """One of several names; a wrong one is told the nearest."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the name; fail with a list of the known ones."""
        if value not in self.choices:
            self.fail(not_one_of(value, self.choices), param, ctx)
        return str(value)


class OutputFile(click.ParamType[Path]):
    """A file to write: of one of these kinds, and of no other option of the same command."""

    name = "file"

    def __init__(self, *suffixes: str) -> None:
        self.suffixes = suffixes

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Return the path; fail with one line for `-`, another kind, or a file named twice."""
        path = Path(str(value))
        if str(value) in ("", "-"):
            self.fail(f"{value!r} is not a file: only --json prints to stdout", param, ctx)
        if self.suffixes and path.suffix.lower() not in self.suffixes:
            self.fail(f"{path}: the file must end in {' or '.join(self.suffixes)}", param, ctx)
        if path.is_dir():
            self.fail(f"{path} is a folder", param, ctx)
        if path.exists() and not path.is_file():
            self.fail(f"{path} is a device or a pipe: name a file", param, ctx)
        if ctx and param and param.name:
            taken = ctx.meta.setdefault(__name__, {})
            other = taken.setdefault(path.resolve(), param.name)
            if other != param.name:
                self.fail(f"{path} is named twice: both files would be written there", param, ctx)
        return path


OUTPUT_FILE = OutputFile()


def examples(*lines: str) -> str:
    """Return lines for the end of a help text."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def exit_with(message: str, code: int) -> NoReturn:
    """Print one line to stderr and end the program."""
    click.echo(" ".join(message.split()), err=True)
    sys.exit(code)


@contextmanager
def progress(total: int, what: str, unit: str) -> Iterator[Callable[[], object]]:
    """Show a bar on stderr, where that is a terminal; yields what to call after each unit."""
    from tqdm import tqdm

    with tqdm(total=total, desc=what, unit=unit, file=sys.stderr, disable=None, leave=False) as bar:
        yield bar.update
