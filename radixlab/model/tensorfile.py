"""One safetensors file: what its header says, and its tensors.

Pickles (`pytorch_model.bin`) are never opened: they run whatever code is in them.
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
"""Those that a model can compute in, by the file format's names."""
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a tensor is, and what its file's header says of it."""

    path: Path
    name: str
    """Its name in the file."""
    shape: Shape
    dtype: torch.dtype

    @property
    def num_numbers(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def num_bytes(self) -> int:
        """Its size in the file."""
        return self.num_numbers * self.dtype.itemsize


def read_header(path: Path) -> Iterator[Stored]:
    """Yield what the header says of every tensor; `BadFileError` or `WeightsError`."""
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
    """Open a file whose tensors come on `device`; `BadFileError` if it cannot be read."""
    try:
        with safe_open(str(path), framework="pt", device=str(device)) as file:
            yield file
    except SafetensorError as error:
        raise BadFileError(_why_unreadable(path) or f"{path}: {error}") from error


def _why_unreadable(path: Path) -> str | None:
    """Say what is wrong with a file in its own numbers, if they can be read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if start == b"version ":
            return f"{path} is the {size} bytes of a Git LFS pointer, not the weights themselves"
        if len(start) < 8 or (length := struct.unpack("<Q", start)[0]) > size - 8:
            needs = (
                f"its header alone needs {8 + length}" if len(start) == 8 else "a header needs 8"
            )
            return f"{path} is cut short or no safetensors file: it has {size} bytes, {needs}"
        try:
            header = json.loads(file.read(length))
            places = [(at["data_offsets"][1], n) for n, at in header.items() if n != "__metadata__"]
            end, last = max(places)
        except (ValueError, LookupError, TypeError, AttributeError):
            return None
    if (end := 8 + length + end) <= size:
        return None
    return f"{path} is cut short: it has {size} bytes, tensor {last} ends at {end}"
