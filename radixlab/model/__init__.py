"""A model of Llama's architecture over the paged cache.

    folder ─► load_model ─► Llama ─► Runner.forward(work) ─► logits ─► choose ─► tokens

Read `llama.py` for the arithmetic, `attend.py` for its connection to the cache, and `runner.py` for
a step. The names listed here need torch: if it is missing, `TorchMissingError` says what to
install.
"""

from importlib import import_module
from typing import Any

from radixlab import openmp as openmp  # before torch

_HOMES = {
    "ChatText": "chat",
    "Llama": "llama",
    "ModelConfig": "config",
    "ModelError": "errors",
    "Runner": "runner",
    "Sampler": "sampler",
    "SamplingParams": "params",
    "TextStream": "stream",
    "Tokenizer": "tokenizer",
    "choose": "sampler",
    "dense_logits": "runner",
    "load_config": "loader",
    "load_model": "loader",
    "load_tokenizer": "loader",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: the scheduler needs this package, but not torch."""
    if name not in _HOMES:
        raise AttributeError(f"radixlab.model has no {name}; it has {', '.join(_HOMES)}")
    import_module("radixlab.attention")  # says what to install if torch is missing
    return getattr(import_module(f"radixlab.model.{_HOMES[name]}"), name)
