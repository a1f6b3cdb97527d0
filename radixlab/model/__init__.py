"""A model of Llama's architecture over the paged cache.

    folder ─► load_model ─► Llama ─► Runner.forward(work) ─► logits ─► choose ─► tokens

Read `llama.py` for the arithmetic, `attend.py` for where it meets the cache, `runner.py` for a
step. What is listed here needs torch: without it, `TorchMissingError` says what to install.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "ChatText": "chat",
    "Llama": "llama",
    "ModelConfig": "config",
    "ModelError": "errors",
    "Runner": "runner",
    "Sampler": "sampler",
    "SamplingParams": "sampler",
    "TextStream": "stream",
    "Tokenizer": "tokenizer",
    "choose": "sampler",
    "dense_logits": "runner",
    "load_config": "loader",
    "load_model": "loader",
    "load_tokenizer": "loader",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, and no more: a scheduler needs parts of this package, not torch."""
    if name not in _HOMES:
        raise AttributeError(f"radixlab.model has no {name}; it has {', '.join(_HOMES)}")
    import_module("radixlab.attention")  # says what to install where torch is missing
    return getattr(import_module(f"radixlab.model.{_HOMES[name]}"), name)
