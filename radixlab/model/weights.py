"""A checkpoint's tensors: found in one safetensors file or several, checked, then read.

All headers are read and compared with what the model needs before any weight is. Pickles
(`pytorch_model.bin`) are never opened: they run whatever code is in them. Knows names and shapes;
what they compute is the model's.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from tqdm import tqdm

from radixlab.model.errors import BadFileError, MissingFileError, WeightsError
from radixlab.model.folder import read_json, require

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
"""Those that a model can compute in, by the file format's names."""
LARGE_BYTES = 256 * 2**20
"""From here on a progress bar shows how far reading is."""

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
    def num_bytes(self) -> int:
        """Its size in the file."""
        return prod(self.shape) * self.dtype.itemsize


def find_weights(folder: Path, needed: Mapping[str, Shape]) -> dict[str, Stored]:
    """Find exactly the tensors that the model needs, by the model's names.

    Raises `MissingFileError` or `BadFileError` for a file, `WeightsError` for a tensor.
    """
    stored = {tensor.name.removeprefix("model."): tensor for tensor in _stored(folder)}
    for name, shape in needed.items():
        if name not in stored:
            missing = [other for other in needed if other not in stored]
            raise WeightsError(
                f"{folder}: tensor {name} {list(shape)} is missing{_and_more(missing)}"
            )
        if (tensor := stored[name]).shape != shape:
            raise WeightsError(
                f"{tensor.path}: tensor {tensor.name} is {list(tensor.shape)}, "
                f"by config.json it must be {list(shape)}"
            )
    unknown = [name for name in stored if name not in needed and not _is_no_parameter(name)]
    if unknown:
        tensor = stored[unknown[0]]
        raise WeightsError(
            f"{tensor.path}: tensor {tensor.name} {list(tensor.shape)} "
            f"is not in a model of this config.json{_and_more(unknown)}"
        )
    return {name: stored[name] for name in needed}


def read_weights(
    found: Mapping[str, Stored], dtype: torch.dtype | None, device: torch.device
) -> dict[str, Tensor]:
    """Read tensors to a device; `dtype` None for the one that most numbers are stored in.

    On the CPU, what needs no conversion is mapped from the file, not copied.
    """
    sizes: dict[torch.dtype, int] = {}
    for tensor in found.values():
        sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + prod(tensor.shape)
    dtype, total = dtype or max(sizes, key=sizes.__getitem__), _num_bytes(found)
    weights = {}
    with tqdm(
        total=total, unit="B", unit_scale=True, desc="weights", disable=total < LARGE_BYTES
    ) as bar:
        for path in dict.fromkeys(tensor.path for tensor in found.values()):
            with _opened(path, device) as file:
                for name, tensor in found.items():
                    if tensor.path == path:
                        weights[name] = file.get_tensor(tensor.name).to(dtype)
                        bar.update(tensor.num_bytes)
    return weights


def _num_bytes(found: Mapping[str, Stored]) -> int:
    return sum(tensor.num_bytes for tensor in found.values())


def _stored(folder: Path) -> Iterator[Stored]:
    """Yield what the headers say of every tensor of a checkpoint."""
    if (folder / SINGLE).is_file() or not (folder / INDEX).is_file():
        yield from _header(_require_weights(folder / SINGLE))
        return
    index = folder / INDEX
    shards = _shards(index)
    for shard, names in shards.items():
        if not (folder / shard).is_file():
            raise MissingFileError(
                f"{index}: {shard} is missing; tensor {names[0]} should be in it"
            )
        inside = list(_header(folder / shard))
        absent = sorted(set(names) - {tensor.name for tensor in inside})
        if absent:
            raise WeightsError(
                f"{index}: tensor {absent[0]} should be in {shard}, and is not{_and_more(absent)}"
            )
        yield from inside


def _require_weights(path: Path) -> Path:
    pickles = sorted(p.name for p in path.parent.glob("*.bin"))
    if pickles and not path.is_file():
        raise MissingFileError(
            f"{path} is missing; {pickles[0]} is a pickle, which may run any code and is not read"
        )
    return require(path)


def _shards(index: Path) -> dict[str, list[str]]:
    """Return the files that an index names, with the tensors that should be in each."""
    shards: dict[str, list[str]] = {}
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise BadFileError(f"{index}: weight_map must say which file each tensor is in")
    for name, shard in places.items():
        if not isinstance(shard, str) or Path(shard).name != shard:
            raise BadFileError(
                f"{index}: tensor {name} cannot be in {shard!r}: that is no file name"
            )
        shards.setdefault(shard, []).append(name)
    return shards


def _header(path: Path) -> Iterator[Stored]:
    with _opened(path, torch.device("cpu")) as file:
        for name in file.keys():  # noqa: SIM118  not a mapping
            tensor = file.get_slice(name)
            kind = tensor.get_dtype()
            if kind not in DTYPES:
                raise WeightsError(
                    f"{path}: tensor {name} is {kind}; only {', '.join(DTYPES)} can be read"
                )
            yield Stored(path, name, tuple(tensor.get_shape()), DTYPES[kind])


@contextmanager
def _opened(path: Path, device: torch.device) -> Iterator[safe_open]:
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
            header: dict[str, dict[str, list[int]]] = json.loads(file.read(length))
        except ValueError:
            return None
    ends = {name: at["data_offsets"][1] for name, at in header.items() if name != "__metadata__"}
    last = max(ends, key=ends.__getitem__, default=None)
    if last is None or (end := 8 + length + ends[last]) <= size:
        return None
    return f"{path} is cut short: it has {size} bytes, tensor {last} ends at {end}"


def _is_no_parameter(name: str) -> bool:
    """Whether older checkpoints carry a tensor along that is computed or tied, never learned."""
    return name == "lm_head.weight" or name.endswith("rotary_emb.inv_freq")


def _and_more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
