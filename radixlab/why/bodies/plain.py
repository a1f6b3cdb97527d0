"""Prompts that are already text or token ids: one prompt, or a list of them.

A list of texts stands for several prompts in one request, as `/v1/completions` takes them.
"""

from array import array
from typing import Any

import numpy as np
import numpy.typing as npt

from radixlab.why.errors import BadLineError, kind, name
from radixlab.why.request import Path

TEXT_FIELDS = ("prompt", "text", "inputs")
"""Fields with a text: OpenAI's and vLLM's, SGLang's, and text-generation-inference's."""
ID_FIELDS = ("token_ids", "prompt_token_ids", "input_ids")
MAX_PROMPTS = 4096
"""Most prompts of one line."""
MAX_TOKEN_ID = 2**31 - 1
_OUTSIDE = np.array([-1], np.int32)

TokenIds = npt.NDArray[np.int32]


def plain_field(body: dict[str, Any]) -> str | None:
    """Return the field that holds the prompt of a body without messages; None if none does."""
    for field in (*ID_FIELDS, *TEXT_FIELDS):
        value = body.get(field)
        if value is not None and (field == "prompt" or type(value) in (str, list)):
            return field
    return None


def read_plain(value: Any, path: Path) -> list[tuple[Path, str | TokenIds]]:
    """Return the prompts of a field, each a text or token ids."""
    if type(value) is str:
        return [(path, _not_empty(value, path))]
    if type(value) is not list:
        raise BadLineError(f"{name(path)} is {kind(value)}, not a text or a list")
    if value and type(value[0]) in (str, list):
        if len(value) > MAX_PROMPTS:
            raise BadLineError(f"{name(path)} has {len(value):,} prompts, at most {MAX_PROMPTS:,}")
        return [_read_one(each, (*path, index)) for index, each in enumerate(value)]
    return [(path, read_ids(value, path))]


def read_ids(value: Any, path: Path) -> TokenIds:
    """Return token ids as an array; refuse by name what is not an id."""
    if not value:
        raise BadLineError(f"{name(path)} is empty")
    if set(map(type, value)) != {int}:
        index = next(i for i, each in enumerate(value) if type(each) is not int)
        raise BadLineError(f"{name((*path, index))} is {kind(value[index])}, not a token id")
    try:
        ids = np.frombuffer(array("i", value), np.int32)  # NumPy 1 would wrap what is too large
    except OverflowError:
        ids = _OUTSIDE
    if ids.min() < 0:
        index = next(i for i, each in enumerate(value) if not 0 <= each <= MAX_TOKEN_ID)
        what = "negative" if value[index] < 0 else f"more than {MAX_TOKEN_ID:,}"
        raise BadLineError(f"{name((*path, index))} is {what}, not a token id")
    return ids


def _read_one(value: Any, path: Path) -> tuple[Path, str | TokenIds]:
    if type(value) is str:
        return path, _not_empty(value, path)
    if type(value) is list:
        return path, read_ids(value, path)
    raise BadLineError(f"{name(path)} is {kind(value)}, not a text or a list")


def _not_empty(text: str, path: Path) -> str:
    if not text:
        raise BadLineError(f"{name(path)} is empty")
    return text
