"""Reading the small files of a model's folder, with errors that name the file.

This file knows paths and JSON. It does not know what the files mean.
"""

import json
from pathlib import Path
from typing import Any

from radixlab.model.errors import BadFileError, MissingFileError


def require(path: Path) -> Path:
    """Return the path of an existing file; raise `MissingFileError` otherwise."""
    if not path.parent.is_dir():
        raise MissingFileError(f"{path.parent} is not a folder: a model's files are expected there")
    if not path.is_file():
        there = sorted(entry.name for entry in path.parent.iterdir())
        shown = ", ".join(there[:8]) + (", …" if len(there) > 8 else "")
        raise MissingFileError(f"{path} is missing; the folder has {shown or 'nothing'}")
    return path


def read_text(path: Path) -> str:
    """Return the text of a file; raise `MissingFileError` or `BadFileError`."""
    try:
        return require(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadFileError(f"{path} is not text: byte {error.start} is not UTF-8") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; raise `MissingFileError` or `BadFileError`."""
    text = read_text(path)
    try:
        content = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:  # a number with too many digits is a ValueError
        raise BadFileError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadFileError(f"{path} must hold a JSON object, not a {type(content).__name__}")
    return content


class _TwiceError(ValueError):
    """A key occurs twice in one object, with different values."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs; refuse a repeated key, whose last value would silently win."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values and values[name] != value:
            raise _TwiceError(f"{name} occurs twice, as {values[name]!s:.40} and as {value!s:.40}")
        values[name] = value
    return values


def read_json_if_there(path: Path) -> dict[str, Any]:
    """Do the same as `read_json`, but return an empty dict if the file does not exist."""
    return read_json(path) if path.is_file() else {}
