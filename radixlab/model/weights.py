"""A checkpoint's tensors: found in one or several safetensors files, checked, then read.

All headers are read and compared with the model's needs before any weight is read. This file knows
names and shapes. It does not know what the weights compute.
"""

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from radixlab.model.copies import refuse_unless_equal
from radixlab.model.errors import (
    BadFileError,
    MissingFileError,
    UnsupportedModelError,
    WeightsError,
)
from radixlab.model.folder import read_json, require
from radixlab.model.tensorfile import Shape, Stored, opened, read_header

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
SHARDS = "model-*-of-*.safetensors"
ADAPTERS = ("adapter_config.json", "adapter_model*", "*adapters.safetensors", "*lora_weights*")
"""Files of adapters, as peft, MLX and diffusers name them."""
EMBEDDING, HEAD = "embed_tokens.weight", "lm_head.weight"
FREQUENCIES = "rotary_emb.inv_freq"
LARGE_BYTES = 256 * 2**20
"""Reading this many bytes, or more, shows a progress bar."""


def find_weights(folder: Path, needed: Mapping[str, Shape]) -> dict[str, Stored]:
    """Find exactly the tensors that the model needs, by the model's names.

    Raises `MissingFileError` or `BadFileError` for a file, and `WeightsError` for a tensor that is
    missing or unknown, has the wrong shape, or occurs twice with different numbers.
    """
    stored = _by_model_names(folder)
    for name, shape in needed.items():
        if name not in stored:
            missing = [other for other in needed if other not in stored]
            raise WeightsError(
                f"{folder}: tensor {name} {list(shape)} is missing{_and_more(missing)}"
            )
        if (tensor := stored[name]).shape != shape:
            raise WeightsError(
                f"{tensor.path}: tensor {tensor.name} is {list(tensor.shape)}, "
                f"but config.json implies {list(shape)}"
            )
    unknown = [name for name in stored if name not in needed and not _is_no_parameter(name)]
    if unknown:
        tensor = stored[unknown[0]]
        raise WeightsError(
            f"{tensor.path}: tensor {tensor.name} {list(tensor.shape)} "
            f"is not in a model of this config.json{_and_more(unknown)}"
        )
    if HEAD in stored and HEAD not in needed:
        refuse_unless_equal(stored[EMBEDDING], stored[HEAD], "tie_word_embeddings is true")
    return {name: stored[name] for name in needed}


def find_buffers(folder: Path) -> list[Stored]:
    """Find RoPE's frequencies, which older checkpoints store although they can be computed."""
    return [tensor for tensor in _stored(folder) if tensor.name.endswith(FREQUENCIES)]


def commonest_dtype(found: Mapping[str, Stored]) -> torch.dtype:
    """Return the dtype in which most numbers are stored."""
    sizes: dict[torch.dtype, int] = {}
    for tensor in found.values():
        sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + prod(tensor.shape)
    return max(sizes, key=sizes.__getitem__)


def read_weights(
    found: Mapping[str, Stored], dtype: torch.dtype | None, device: torch.device
) -> dict[str, Tensor]:
    """Read tensors to a device; `dtype` None means the dtype of most numbers."""
    dtype = dtype or commonest_dtype(found)
    total = sum(tensor.num_bytes for tensor in found.values())
    weights = {}
    # On the CPU a tensor is a view of the file, which may change while the model is in use.
    copy = device.type == "cpu"
    with tqdm(
        total=total, unit="B", unit_scale=True, desc="weights", disable=total < LARGE_BYTES
    ) as bar:
        for path in dict.fromkeys(tensor.path for tensor in found.values()):
            with opened(path, device) as file:
                for name, tensor in found.items():
                    if tensor.path == path:
                        weights[name] = file.get_tensor(tensor.name).to(dtype, copy=copy)
                        bar.update(tensor.num_bytes)
    return weights


def _by_model_names(folder: Path) -> dict[str, Stored]:
    """Return the tensors by the model's names; a repeated tensor must have equal numbers."""
    stored: dict[str, Stored] = {}
    for tensor in _stored(folder):
        name = tensor.name.removeprefix("model.")
        if name in stored:
            refuse_unless_equal(stored[name], tensor, "both occur")
        stored.setdefault(name, tensor)
    return stored


def _stored(folder: Path) -> Iterator[Stored]:
    """Yield the header's entry for every tensor of a checkpoint, over all its files."""
    _refuse_adapters(folder)
    index = folder / INDEX
    shards = _shards(index) if index.is_file() else {}
    if (folder / SINGLE).is_file() and not any((folder / shard).is_file() for shard in shards):
        shards = {}  # a leftover index: its shards were merged into the single file
    strays = {path.name for path in folder.glob(SHARDS)} - shards.keys()
    if strays:
        raise WeightsError(
            f"{folder / min(strays)} is not in {INDEX}: is the file needed, or a leftover?"
        )
    if not shards or ((folder / SINGLE).is_file() and SINGLE not in shards):
        yield from read_header(_require_weights(folder / SINGLE))
    for shard, names in shards.items():
        yield from _read_shard(index, shard, names)


def _read_shard(index: Path, shard: str, names: list[str]) -> list[Stored]:
    path = index.parent / shard
    if not path.is_file():
        raise MissingFileError(f"{index}: {shard} is missing; tensor {names[0]} should be in it")
    inside = list(read_header(path))
    absent = sorted(set(names) - {tensor.name for tensor in inside})
    if absent:
        raise WeightsError(
            f"{index}: tensor {absent[0]} should be in {shard}, but is not{_and_more(absent)}"
        )
    return inside


def _refuse_adapters(folder: Path) -> None:
    for pattern in ADAPTERS:
        for path in sorted(folder.glob(pattern)):
            raise UnsupportedModelError(
                f"{path}: the folder has an adapter beside the weights: merge the adapter into "
                "the weights, or remove it"
            )


def _require_weights(path: Path) -> Path:
    pickles = sorted(p.name for p in path.parent.glob("*.bin"))
    if pickles and not path.is_file():
        raise MissingFileError(
            f"{path} is missing; {pickles[0]} is a pickle: it may run code, so it is not read"
        )
    return require(path)


def _shards(index: Path) -> dict[str, list[str]]:
    """Return the files that an index names, each with the tensors that it should have."""
    shards: dict[str, list[str]] = {}
    file_of = read_json(index).get("weight_map")
    if not isinstance(file_of, dict) or not file_of:
        raise BadFileError(f"{index}: weight_map must say which file each tensor is in")
    for name, shard in file_of.items():
        if not isinstance(shard, str) or Path(shard).name != shard:
            raise BadFileError(
                f"{index}: tensor {name} cannot be in {shard!r}: that is not a file name"
            )
        shards.setdefault(shard, []).append(name)
    return shards


def _is_no_parameter(name: str) -> bool:
    """Whether this tensor, which older checkpoints store, is computed or tied, not learned."""
    return name == HEAD or name.endswith(FREQUENCIES)


def _and_more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
