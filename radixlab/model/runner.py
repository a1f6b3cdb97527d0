"""A model and the KV that it has computed: the owner of the bytes that the cache only counts.

This file knows tensors and devices. The engine tells it which requests run with which blocks.
"""

import math
from collections.abc import Sequence as Many

import torch
from torch import Tensor

from radixlab.attention import PlanCache, TorchKVStore, check_backend
from radixlab.cache.results import Transfer
from radixlab.cache.work import Work
from radixlab.config import CacheConfig
from radixlab.model.attend import Dense, Paged
from radixlab.model.layout import store_by_columns
from radixlab.model.llama import Llama
from radixlab.model.sampler import Sampler, SamplingParams, choose
from radixlab.model.step import make_step

GREEDY = Sampler(SamplingParams())
BLOCKS_AT_ONCE = 64
"""Blocks that are copied and examined at a time; this bounds the memory for a long prompt."""


class Runner:
    """Runs a model over its own pool of KV blocks.

    It changes the order of the model's matrices in memory (`layout.py`), but not their values.
    Raises `BackendError` if the backend cannot serve this model on this machine.
    """

    def __init__(self, model: Llama, cache: CacheConfig, backend: str | None = None) -> None:
        config = model.config
        weight = model.norm.weight
        self.model = model.eval()
        self.vocab_size = config.vocab_size
        self.max_context_len: int | None = config.max_context_len
        self.backend = backend
        self.plans = PlanCache(cache.block_size, config.group_size)
        self.store = TorchKVStore(
            config.num_layers,
            cache.num_blocks,
            cache.block_size,
            config.num_kv_heads,
            config.head_dim,
            num_host_blocks=cache.num_host_blocks,
            dtype=weight.dtype,
            device=weight.device,
        )
        check_backend(self.store.layers[0], config.group_size, backend)
        store_by_columns(model)

    def transfer(self, transfers: Many[Transfer]) -> None:
        """Run the copies that the cache ordered, in order, before anything is written."""
        self.store.run(transfers)

    @torch.inference_mode()
    def forward(self, work: Many[Work]) -> Tensor:
        """Compute these tokens, store their KV, and return the logits after the last of each piece.

        Returns fp32 `[len(work), vocab_size]`, in the order of the work.
        """
        step = make_step(work, self.plans)
        device = self.store.data.device
        hidden = self.model(
            torch.from_numpy(step.token_ids).long().to(device),
            torch.from_numpy(step.positions).to(device),
            Paged(self.store, step, self.backend),
        )
        return self.model.logits(hidden[torch.from_numpy(step.last_row).long().to(device)])

    def takes(self, sampler: object) -> bool:
        """Whether this is a sampler: a `Sampler`, or None for the greedy one.

        Raises `ConfigError` for a sampler that names a token which the vocabulary lacks.
        """
        if isinstance(sampler, Sampler):
            sampler.params.check_ids(self.vocab_size)
        return sampler is None or isinstance(sampler, Sampler)

    def rewind(self, sampler: Sampler | None, num_tokens: int) -> None:
        """After a fault, let the sampler repeat its last draw if that token was lost."""
        if sampler:
            sampler.rewind(num_tokens)

    def broken_blocks(self, block_ids: Many[int]) -> list[int]:
        """Return those of these device blocks that hold a non-finite K or V in any layer."""
        corrupt: list[int] = []
        for start in range(0, len(block_ids), BLOCKS_AT_ONCE):
            ids = torch.tensor(block_ids[start : start + BLOCKS_AT_ONCE])
            blocks = self.store.data[:, :, ids.to(self.store.data.device)]
            finite = blocks.isfinite().transpose(0, 2).flatten(1).all(1)  # [len(ids)]
            corrupt += ids[~finite.cpu()].tolist()
        return corrupt

    def broken(self, logits: Tensor) -> list[int]:
        """List the rows of `logits` `[n, vocab_size]` whose largest logit is not finite."""
        return [row for row, top in enumerate(logits.amax(-1).tolist()) if not math.isfinite(top)]

    def choose(self, logits: Tensor, samplers: Many[Sampler | None]) -> list[int]:
        """Choose a token for each row `[n, vocab_size]` by its sampler; None is greedy."""
        return choose(logits, [sampler or GREEDY for sampler in samplers])


@torch.inference_mode()
def dense_logits(model: Llama, token_ids: Many[int]) -> Tensor:
    """Return the logits after every token of one text, without a cache: fp32 `[T, vocab_size]`."""
    device = model.norm.weight.device
    rows = torch.tensor(token_ids, device=device)
    positions = torch.arange(len(rows), device=device)
    return model.logits(model(rows, positions, Dense([0, len(rows)])))
