"""Loading a model from a local folder in Hugging Face's format.

config.json ─► ModelConfig ─► Llama without memory ─► model*.safetensors become its parameters
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from radixlab.model.copies import refuse_other_frequencies
from radixlab.model.errors import WeightsError
from radixlab.model.hf_config import load_config, load_dtype
from radixlab.model.llama import Llama, rope_frequencies
from radixlab.model.tokenizer import load_tokenizer
from radixlab.model.weights import commonest_dtype, find_buffers, find_weights, read_weights

__all__ = ["load_config", "load_model", "load_tokenizer"]


def load_model(
    folder: str | Path, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
) -> Llama:
    """Load a model; its parameters keep the checkpoint's dtype or are converted to `dtype`.

    Raises a `ModelError` that names the file and the tensor before any weight is read.
    """
    if dtype is not None and not dtype.is_floating_point:
        raise WeightsError(f"weights cannot be {dtype}: a model computes in floats")
    config = load_config(folder)
    device = torch.device(device)
    with torch.device("meta"), _NothingDrawn():  # shapes only: the file brings the weights
        model = Llama(config)
    needed = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    found = find_weights(Path(folder), needed)
    if dtype is None:
        _refuse_another_dtype(Path(folder), commonest_dtype(found))
    frequencies = rope_frequencies(config.head_dim, config.rope_theta, config.rope_scaling)
    plain = rope_frequencies(config.head_dim, config.rope_theta)
    for stored in find_buffers(Path(folder)):
        refuse_other_frequencies(stored, [frequencies, plain])
    model.load_state_dict(read_weights(found, dtype, device), assign=True)
    model.frequencies = frequencies.to(device)
    return model.eval()


class _NothingDrawn(TorchFunctionMode):
    """Layers draw no first values: they would be thrown away.

    Without memory to draw them in, torch would load its compiler first, which takes a second.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__module__", None) == "torch.nn.init":
            return kwargs["tensor"] if kwargs and "tensor" in kwargs else args[0]
        return func(*args, **(kwargs or {}))


def _refuse_another_dtype(folder: Path, stored: torch.dtype) -> None:
    """Refuse weights whose dtype differs from config.json, unless the caller chooses one."""
    stated = load_dtype(folder)
    kept = str(stored).removeprefix("torch.")
    if stated not in (None, kept):
        raise WeightsError(
            f"{folder}: the weights are {kept}, but config.json says {stated}: pass a dtype to "
            "load_model"
        )
