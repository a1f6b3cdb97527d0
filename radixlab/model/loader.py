"""A model from a local folder, as it comes from Hugging Face.

config.json ─► ModelConfig ─► Llama without memory ─► model*.safetensors become its parameters
"""

from pathlib import Path

import torch

from radixlab.model.errors import WeightsError
from radixlab.model.hf_config import load_config
from radixlab.model.llama import Llama, rope_frequencies
from radixlab.model.tokenizer import load_tokenizer
from radixlab.model.weights import find_weights, read_weights

__all__ = ["load_config", "load_model", "load_tokenizer"]


def load_model(
    folder: str | Path, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
) -> Llama:
    """Load a model; its parameters keep the checkpoint's dtype or are converted to `dtype`.

    Raises a `ModelError` that names the file and the tensor before any weight is read.
    """
    if dtype is not None and not dtype.is_floating_point:
        raise WeightsError(f"weights cannot be {dtype}: a model computes in floats")
    config, device = load_config(folder), torch.device(device)
    with torch.device("meta"):  # shapes only: no memory is taken that the file's weights replace
        model = Llama(config)
    needed = {name: tuple(weight.shape) for name, weight in model.named_parameters()}
    weights = read_weights(find_weights(Path(folder), needed), dtype, device)
    model.load_state_dict(weights, assign=True)
    frequencies = rope_frequencies(config.head_dim, config.rope_theta, config.rope_scaling)
    model.frequencies = frequencies.to(device)
    return model.eval()
