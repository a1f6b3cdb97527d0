"""One safetensors file: its header and its tensors.

Pickles (`pytorch_model.bin`) are never opened, because opening one runs any code in it.
"""

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from radixlab.model.errors import BadFileError, WeightsError

DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
"""The dtypes in which a model can compute, by their names in the file."""
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor's file, and what the header of the file says about it."""

    path: Path
    name: str
    """Its name in the file."""
    shape: Shape
    dtype: torch.dtype

    @property
    def num_numbers(self) -> int:
        """How many numbers the tensor has."""
        return prod(self.shape)

    @property
    def num_bytes(self) -> int:
        """The tensor's size in the file."""
        return self.num_numbers * self.dtype.itemsize


def read_header(path: Path) -> Iterator[Stored]:
    """Yield the header's entry for every tensor; raise `BadFileError` or `WeightsError`."""
    with opened(path, torch.device("cpu")) as file:
        for name in file.keys():  # noqa: SIM118  not a mapping
            tensor = file.get_slice(name)
            kind = tensor.get_dtype()
            if kind not in DTYPES:
                raise WeightsError(
                    f"{path}: tensor {name} is {kind}; only {', '.join(DTYPES)} can be read"
                )
            yield Stored(path, name, tuple(tensor.get_shape()), DTYPES[kind])


@contextmanager
def opened(path: Path, device: torch.device) -> Iterator[safe_open]:
    """Open a file to read tensors to `device`; raise `BadFileError` if it is unreadable."""
    try:
        with safe_open(str(path), framework="pt", device=str(device)) as file:
            yield file
    except SafetensorError as error:
        raise BadFileError(_why_unreadable(path) or f"{path}: {error}") from error


def _why_unreadable(path: Path) -> str | None:
    """Explain by a file's own numbers why it is unreadable; None if they cannot be read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if start == b"version ":
            return f"{path} is the {size} bytes of a Git LFS pointer, not the weights themselves"
        if len(start) < 8 or (length := struct.unpack("<Q", start)[0]) > size - 8:
            needs = (
                f"its header alone needs {8 + length}" if len(start) == 8 else "a header needs 8"
            )
            return f"{path} is truncated or not a safetensors file: it has {size} bytes, {needs}"
        try:
            header = json.loads(file.read(length))
            tensors = [(n, each) for n, each in header.items() if n != "__metadata__"]
            end, last = max((each["data_offsets"][1], n) for n, each in tensors)
        except (ValueError, LookupError, TypeError, AttributeError):
            return None
    if (end := 8 + length + end) <= size:
        return None
    return f"{path} is truncated: it has {size} bytes, but tensor {last} ends at byte {end}"
