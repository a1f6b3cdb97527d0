"""What `bench e2e` runs: models with random weights, ours and the same in transformers."""

import importlib
from collections.abc import Sequence as Many
from typing import Any

import numpy as np
import torch
from torch import Tensor

from radixlab.bench.attention_clocks import cpu_us
from radixlab.cache import CacheConfig
from radixlab.cache.tokens import TokenArray
from radixlab.cache.work import Work
from radixlab.model.config import ModelConfig
from radixlab.model.llama import Llama
from radixlab.model.runner import Runner
from radixlab.model.sampler import SamplingParams
from radixlab.model.step import make_step

QUICK = ModelConfig(512, 64, 160, 2, 4, 2, 16, 32_768)
SMALL = ModelConfig(2048, 256, 704, 4, 8, 4, 32, 32_768)
WIDE = ModelConfig(32_000, 2048, 8192, 16, 32, 8, 128, 32_768)
"""16 layers of 32 query and 8 KV heads of 128: Llama 3.2 1B with wider heads."""

QWEN = ModelConfig(151_936, 896, 4864, 24, 14, 2, 64, 32_768, qkv_bias=True, tied_embeddings=True)
"""The shape of Qwen2-0.5B."""


def random_model(sizes: ModelConfig) -> Llama:
    """Make a model whose weights are drawn from a seed, as widely as keeps its stream bounded."""
    model = Llama(sizes).requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        if weight.ndim == 2:
            weight.normal_(0, weight.shape[-1] ** -0.5, generator=generator)
    return model


class Clocked(Runner):
    """Keeps the CPU time of the model apart from all else: scheduler, cache, transfers, plans."""

    def __init__(self, model: Llama, cache: CacheConfig) -> None:
        super().__init__(model, cache)
        self.model_us = self.layout_us = 0.0
        """Of the last step; the second is what its layout took when it was made once more."""

    def forward(self, work: Many[Work]) -> Tensor:
        """Compute; the layout of the step, which the tree decides, does not count as the model."""
        logits: list[Tensor] = []
        whole_us = cpu_us(lambda: logits.append(super(Clocked, self).forward(work)))
        self.layout_us = cpu_us(lambda: make_step(work, self.plans))
        self.model_us = whole_us - self.layout_us
        return logits[0]

    def choose(self, logits: Tensor, samplers: Many[Any]) -> list[int]:
        """Choose; that is the model's time too."""
        tokens: list[int] = []
        self.model_us += cpu_us(
            lambda: tokens.extend(super(Clocked, self).choose(logits, samplers))
        )
        return tokens


class Transformers:
    """The same weights in transformers; raises `ImportError` where it is not installed."""

    def __init__(self, model: Llama) -> None:
        transformers: Any = importlib.import_module("transformers")
        sizes = model.config
        self.name = f"transformers {transformers.__version__}"
        config = transformers.LlamaConfig(
            vocab_size=sizes.vocab_size,
            hidden_size=sizes.hidden_size,
            intermediate_size=sizes.intermediate_size,
            num_hidden_layers=sizes.num_layers,
            num_attention_heads=sizes.num_heads,
            num_key_value_heads=sizes.num_kv_heads,
            head_dim=sizes.head_dim,
            max_position_embeddings=sizes.max_context_len,
            eos_token_id=None,
        )
        self.model = transformers.LlamaForCausalLM(config)
        self.model.load_state_dict(
            {
                name if name.startswith("lm_head") else f"model.{name}": weight
                for name, weight in model.named_parameters()
            }
        )
        self.model.eval()

    def generate(
        self, prompts: Many[TokenArray], num_tokens: int, params: SamplingParams | None = None
    ) -> None:
        """Answer prompts of one length as one batch, greedily or by these parameters."""
        ids = torch.from_numpy(np.stack(prompts)).long().to(self.model.device)
        how: dict[str, Any] = {"do_sample": False}
        if params and params.temperature:
            how = {"do_sample": True, "temperature": params.temperature, "top_p": params.top_p}
            how["top_k"] = params.top_k or 0  # its own default would be 50
        mask = torch.ones_like(ids)
        self.model.generate(ids, attention_mask=mask, max_new_tokens=num_tokens, **how)
