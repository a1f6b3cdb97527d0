"""Reading the cells of a notebook file that may hold anything: one clear line for each fault.

This file knows files and JSON; `submission` decides which cells are graded. Links are refused: they
may lead to somebody else's work.
"""

import json
import os
import stat
from pathlib import Path
from typing import Any

MAX_BYTES = 20_000_000
"""Of a notebook with its pictures."""

_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # no system has them all
    _FLAGS |= getattr(os, _name, 0)


class SubmissionError(ValueError):
    """A file that holds no submission; the message is one line and names it."""


def cells_of(path: Path) -> list[Any]:
    """Return the cells of a notebook; each may still be anything.

    Raises
    ------
    SubmissionError
        The file cannot be read or is not a notebook.
    """
    content = _content(path)
    try:
        document = json.loads(content, object_pairs_hook=_once)
    except RecursionError:
        raise SubmissionError(f"{path.name} is not a notebook: it is nested too deep") from None
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is not {error.encoding.upper()}"
        raise SubmissionError(f"{path.name} is not a notebook: {why}") from None
    except (ValueError, MemoryError) as error:
        why = str(error)[:100] or type(error).__name__
        raise SubmissionError(f"{path.name} is not a notebook: {why}") from None
    if isinstance(document, dict) and "worksheets" in document:
        why = "has the format of 2014: open it in JupyterLab and save it"
        raise SubmissionError(f"{path.name} {why}")
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        raise SubmissionError(f"{path.name} is not a notebook: it has no list of cells")
    return cells


def source_of(cell: Any) -> str | None:
    """Return a cell's text, which a notebook holds in one piece or line by line; None for none."""
    if not isinstance(cell, dict) or "cell_type" not in cell:
        return None
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else None


def _content(path: Path) -> bytes:
    try:
        found = path.lstat()
        if why := _not_readable(found):
            raise SubmissionError(f"{path.name} {why}")
        with open(os.open(path, _FLAGS), "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SubmissionError(f"{path.name} cannot be read: {why}") from None
    return content


def _not_readable(found: os.stat_result) -> str:
    """Say why a file is refused before it is opened; nothing if it is not."""
    if stat.S_ISLNK(found.st_mode):
        return "is a link, and links are not followed: hand in the file itself"
    if stat.S_ISDIR(found.st_mode):
        return "is a folder, not a notebook"
    if not stat.S_ISREG(found.st_mode):
        return "is not a file: it is a device, a socket or a pipe"
    if found.st_nlink > 1:
        return "is a hard link, which may belong to somebody else: hand in a copy"
    if found.st_size > MAX_BYTES:
        return f"has {found.st_size:,} bytes; at most {MAX_BYTES:,} are read"
    return "" if found.st_size else "is empty"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"it holds {name[:40]!r} twice")
        found[name] = value
    return found
