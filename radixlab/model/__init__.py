"""A model of Llama's architecture over the paged cache.

    folder ─► load_model ─► Llama ─► Runner.forward(work) ─► logits ─► choose ─► tokens

Read `llama.py` for the arithmetic, `attend.py` for where it meets the cache, `runner.py` for a
step. Needs torch: without it, the import raises `TorchMissingError`. What reads a model's folder
(`loader`, `tokenizer`, `stream`) is imported by its own name: it needs more packages.
"""

import radixlab.attention  # noqa: F401  first: it says what to install where torch is missing
from radixlab.model.attend import Dense, Paged
from radixlab.model.config import LinearScaling, ModelConfig, RopeScaling
from radixlab.model.errors import (
    BadFileError,
    ChatTemplateError,
    LogitsError,
    MissingFileError,
    ModelError,
    UnsupportedModelError,
    WeightsError,
)
from radixlab.model.llama import Llama
from radixlab.model.runner import Runner, dense_logits
from radixlab.model.sampler import Sampler, SamplingParams, choose
from radixlab.model.step import Work

__all__ = [
    "BadFileError",
    "ChatTemplateError",
    "Dense",
    "LinearScaling",
    "Llama",
    "LogitsError",
    "MissingFileError",
    "ModelConfig",
    "ModelError",
    "Paged",
    "RopeScaling",
    "Runner",
    "Sampler",
    "SamplingParams",
    "UnsupportedModelError",
    "WeightsError",
    "Work",
    "choose",
    "dense_logits",
]
