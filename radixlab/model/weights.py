"""A checkpoint's tensors: found in one safetensors file or several, checked, then read.

All headers are read and compared with what the model needs before any weight is. Knows names and
shapes; what they compute is the model's.
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
"""From here on a progress bar shows how far reading is."""


def find_weights(folder: Path, needed: Mapping[str, Shape]) -> dict[str, Stored]:
    """Find exactly the tensors that the model needs, by the model's names.

    Raises `MissingFileError` or `BadFileError` for a file, `WeightsError` for a tensor that is
    missing, unknown, of another shape, or there twice with different numbers.
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
                f"by config.json it must be {list(shape)}"
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
    """Find RoPE's frequencies, which older checkpoints carry along though they are computed."""
    return [tensor for tensor in _stored(folder) if tensor.name.endswith(FREQUENCIES)]


def commonest_dtype(found: Mapping[str, Stored]) -> torch.dtype:
    """Return the dtype that most numbers are stored in."""
    sizes: dict[torch.dtype, int] = {}
    for tensor in found.values():
        sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + prod(tensor.shape)
    return max(sizes, key=sizes.__getitem__)


def read_weights(
    found: Mapping[str, Stored], dtype: torch.dtype | None, device: torch.device
) -> dict[str, Tensor]:
    """Read tensors to a device; `dtype` None for the one that most numbers are stored in."""
    dtype = dtype or commonest_dtype(found)
    total, weights = sum(tensor.num_bytes for tensor in found.values()), {}
    # On the CPU a tensor is a view of the file, which may be written anew while the model lives.
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
    """Return the tensors by the model's names; one that is there twice must be there alike."""
    stored: dict[str, Stored] = {}
    for tensor in _stored(folder):
        name = tensor.name.removeprefix("model.")
        if name in stored:
            refuse_unless_equal(stored[name], tensor, "both are there")
        stored.setdefault(name, tensor)
    return stored


def _stored(folder: Path) -> Iterator[Stored]:
    """Yield what the headers say of every tensor of a checkpoint, in whichever files it is."""
    _refuse_adapters(folder)
    index = folder / INDEX
    shards = _shards(index) if index.is_file() else {}
    if (folder / SINGLE).is_file() and not any((folder / shard).is_file() for shard in shards):
        shards = {}  # the index of shards that have been merged into the single file
    strays = {path.name for path in folder.glob(SHARDS)} - shards.keys()
    if strays:
        raise WeightsError(
            f"{folder / min(strays)} is in no {INDEX}: are its tensors meant or left over?"
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
            f"{index}: tensor {absent[0]} should be in {shard}, and is not{_and_more(absent)}"
        )
    return inside


def _refuse_adapters(folder: Path) -> None:
    for pattern in ADAPTERS:
        for path in sorted(folder.glob(pattern)):
            raise UnsupportedModelError(
                f"{path}: the folder has an adapter beside the weights; merge it into "
                "them, or take it out"
            )


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


def _is_no_parameter(name: str) -> bool:
    """Whether older checkpoints carry a tensor along that is computed or tied, never learned."""
    return name == HEAD or name.endswith(FREQUENCIES)


def _and_more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
