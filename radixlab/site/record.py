"""Runs a lesson and keeps the recording of each live view that it shows; reads an exercise.

The page shows the committed outputs, which nbval compares. Only a cell with a player shows what the
fresh run gave, so that the words beside the player belong to it.
"""

import copy
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixlab.lesson.build import clean, execute, read
from radixlab.viz.recorded import MIME

_SHOW = re.compile(r"show\(\w+\)")


@dataclass(frozen=True, slots=True)
class Recording:
    """What a player needs."""

    kind: str
    """The player: `view` or `pair`."""
    content: Any
    """Its recording, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A notebook to show, and the recordings that its outputs name by file."""

    notebook: Any
    recordings: dict[str, Recording]


def committed(path: Path) -> Recorded:
    """Return a notebook as it is, with pictures in place of players."""
    return Recorded(read(path.read_text(encoding="utf-8")), {})


def asked(path: Path) -> Recorded:
    """Return an exercise with what its `show` cells show: the interfaces that it asks for.

    Learners run these cells themselves. The worked notebook has run them, and nothing else of it
    is taken.
    """
    found = committed(path)
    worked = path.parent.parent / "solutions" / path.name
    if worked.is_file():
        cells = {cell.id: cell for cell in read(worked.read_text(encoding="utf-8")).cells}
        for cell in found.notebook.cells:
            other = cells.get(cell.id)
            if other and _SHOW.fullmatch(cell.source) and other.source == cell.source:
                cell.outputs = other.outputs
    return found


def record(path: Path, timeout_s: int = 120) -> Recorded:
    """Run a notebook; raise `CellFailed` if a cell does."""
    old = read(path.read_text(encoding="utf-8"))
    new = copy.deepcopy(old)
    with tempfile.TemporaryDirectory() as scratch, _kept_in(scratch):
        execute(new, path.parent, timeout_s, path.stem)
        found = {name: _read(Path(scratch) / name, kind) for name, kind in _named(new)}
    clean(new)
    for was, now in zip(old.cells, new.cells, strict=True):
        if now.cell_type == "code" and not any(_players(now)) and was.outputs:
            now.outputs = was.outputs
    return Recorded(new, found)


@contextmanager
def _kept_in(folder: str) -> Iterator[None]:
    """Tell the kernels that start meanwhile where recordings go."""
    before = os.environ.get("RADIXLAB_RECORDINGS")
    os.environ["RADIXLAB_RECORDINGS"] = folder
    try:
        yield
    finally:
        del os.environ["RADIXLAB_RECORDINGS"]
        if before is not None:
            os.environ["RADIXLAB_RECORDINGS"] = before


def _players(cell: Any) -> Iterator[Any]:
    for output in cell.outputs:
        if MIME in output.get("data", {}):
            yield output.data[MIME]


def _named(notebook: Any) -> Iterator[tuple[str, str]]:
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        yield from ((each["file"], each["kind"]) for each in _players(cell))


def _read(path: Path, kind: str) -> Recording:
    content = json.loads(path.read_text(encoding="utf-8"))
    return Recording(kind, json.loads(content) if isinstance(content, str) else content)
