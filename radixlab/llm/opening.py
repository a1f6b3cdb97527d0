"""How a model is found and loaded: by folder or by name, in which dtype, on which device.

This file knows names and folders. It does not know prompts or requests.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from radixlab.choices import not_one_of
from radixlab.config import ConfigError, positive, shown
from radixlab.escape import count
from radixlab.model.generation import read_defaults
from radixlab.model.llama import Llama
from radixlab.model.loader import load_model, load_tokenizer
from radixlab.model.named import find_folder
from radixlab.model.tokenizer import Tokenizer

DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float": torch.float32,
    "half": torch.float16,
}
"""Dtypes by the names that vLLM and transformers give them; "auto" is the checkpoint's own."""
DEVICES = ("auto", "cpu", "cuda", "cuda:0, cuda:1, …")


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that is ready to run, with what its folder says of its use."""

    model: Llama
    tokenizer: Tokenizer | None
    defaults: dict[str, Any]
    """Sampling parameters that the folder states, by name."""


def open_model(
    model: Llama | str | Path,
    tokenizer: Tokenizer | str | Path | None,
    dtype: str | torch.dtype,
    device: str | torch.device | None,
) -> Opened:
    """Load a model by name or from a folder; a loaded model is taken as it is.

    Raises `ConfigError` for an unknown dtype or device, and the errors of `find_folder`,
    `load_model`, `load_tokenizer` and `read_defaults`.
    """
    kind, place = as_dtype(dtype), None if device is None else as_device(device)
    if tokenizer is not None and not isinstance(tokenizer, Tokenizer):
        tokenizer = load_tokenizer(find_folder(tokenizer))
    if isinstance(model, Llama):
        own = model.norm.weight
        if kind not in (None, own.dtype) or not (device == "auto" or _is_on(place, own.device)):
            raise ConfigError(
                f"the model is loaded already, as {_name(own.dtype)} on {own.device}: dtype "
                "and device are for a folder"
            )
        return Opened(model, tokenizer, {})
    folder = find_folder(model)
    tokenizer = tokenizer or load_tokenizer(folder)
    defaults = read_defaults(folder)
    return Opened(load_model(folder, kind, place or "cpu"), tokenizer, defaults)


def _is_on(place: torch.device | None, own: torch.device) -> bool:
    """Whether a model on `own` is where a caller wants it: "cuda" is any GPU, None anywhere.

    >>> _is_on(torch.device("cuda"), torch.device("cuda:1")), _is_on(None, torch.device("cpu"))
    (True, True)
    >>> _is_on(torch.device("cuda:0"), torch.device("cuda:1"))
    False
    """
    return place is None or (place.type == own.type and place.index in (None, own.index))


def as_dtype(value: Any) -> torch.dtype | None:
    """Return a dtype by its name; None for "auto". Raises `ConfigError` for any other name."""
    if isinstance(value, str) and value == "auto":
        return None
    found = DTYPES.get(value) if isinstance(value, str) else value
    if found not in DTYPES.values():
        raise ConfigError(f"dtype {not_one_of(value, ('auto', *DTYPES))}")
    return found


def as_device(value: Any) -> torch.device:
    """Return a device by its name; "auto" is a GPU if this machine has one, else the CPU.

    Raises `ConfigError` for another name, and for a device that this machine lacks.
    """
    if isinstance(value, str) and value == "auto":
        value = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(value) if isinstance(value, str | torch.device) else None
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise ConfigError(f"device {not_one_of(value, DEVICES)}")
    num_gpus = torch.cuda.device_count() if device.type == "cuda" else 0
    if device.type == "cuda" and (device.index or 0) >= num_gpus:
        raise ConfigError(
            f"device is {shown(str(value))}, but this machine has {count(num_gpus, 'GPU')}"
        )
    return device


def check_max_model_len(value: Any, most: int | None) -> int | None:
    """Return the context that requests may use; raise `ConfigError` above the model's own."""
    if value is None:
        return most
    number = positive("max_model_len", value)
    if most is not None and number > most:
        raise ConfigError(f"max_model_len is {number}: the model's context is {most} tokens")
    return number


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
