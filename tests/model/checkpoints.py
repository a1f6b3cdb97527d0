"""Tiny random models, and folders of them as Hugging Face writes them."""

import json

import torch
from safetensors.torch import save_file

from radixlab.model.config import ModelConfig
from radixlab.model.llama import Llama

TINY = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_layers": 2,
    "num_heads": 4,
    "num_kv_heads": 2,
    "head_dim": 16,
    "max_context_len": 256,
}
HF = {
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 256,
}
"""The same sizes by the names of a config.json."""


def randomize(module, seed=0):
    """Draw every parameter anew, norms and biases too, so that none can be left out unseen."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in module.named_parameters():
        spread = weight.shape[-1] ** -0.5 if weight.ndim == 2 else 0.3
        mean = 1.0 if "norm" in name else 0.0
        weight.data = mean + spread * torch.randn(weight.shape, generator=generator)
    return module.eval()


def tiny_model(seed=0, **changes):
    """Make a model with random weights whose next token depends on all before it."""
    return randomize(Llama(ModelConfig(**{**TINY, **changes})), seed)


def save_checkpoint(folder, model, shards=1, **changes):
    """Write config.json and safetensors; `changes` go into the config.json."""
    (folder / "config.json").write_text(json.dumps({**HF, **changes}))
    weights = {hf_name(n): weight.data.contiguous() for n, weight in model.named_parameters()}
    names = list(weights)
    if shards == 1:
        save_file(weights, folder / "model.safetensors")
        return folder
    places = {
        name: f"model-{i * shards // len(names) + 1}.safetensors" for i, name in enumerate(names)
    }
    for shard in set(places.values()):
        save_file({n: weights[n] for n in names if places[n] == shard}, folder / shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder


def hf_name(name):
    """Name a parameter as a checkpoint does."""
    return name if name.startswith("lm_head") else f"model.{name}"
