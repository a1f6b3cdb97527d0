"""Random decode and prefill batches over a real cache: ragged lengths, shuffled blocks, poison."""

from dataclasses import dataclass

import numpy as np
import torch

from radixlab.attention import KVPool
from radixlab.cache import CacheConfig, KVCacheManager, Sequence


@dataclass
class Batch:
    """Running sequences and a layer whose unused slots are NaN."""

    manager: KVCacheManager
    sequences: list[Sequence]
    pool: KVPool
    q: torch.Tensor

    @property
    def block_size(self) -> int:
        return self.manager.config.block_size

    @property
    def context_lens(self) -> np.ndarray:
        return np.array([s.num_tokens for s in self.sequences], np.int32)

    @property
    def block_tables(self) -> np.ndarray:
        widest = max(len(s.block_table) for s in self.sequences)
        tables = np.full((len(self.sequences), widest), -1, np.int32)  # -1: a wrong read is seen
        for row, sequence in enumerate(self.sequences):
            tables[row, : len(sequence.block_table)] = sequence.block_table
        return tables

    def double(self) -> KVPool:
        return KVPool(self.pool.k.double(), self.pool.v.double())


def shuffled(manager: KVCacheManager, rng: np.random.Generator) -> None:
    """Hand out and take back all blocks in another order, so that none are neighbours."""
    blocks = manager.allocator.allocate(manager.config.num_blocks)
    manager.allocator.free(rng.permutation(blocks).astype(np.int32))


def fill(pool: KVPool, sequences: list[Sequence], generator: torch.Generator) -> None:
    """Write every slot that a sequence reads, and nothing else."""
    used = np.concatenate([s.slots(0, s.num_tokens, pool.block_size) for s in sequences])
    slots = torch.from_numpy(np.unique(used)).long()
    for x in (pool.k, pool.v):
        values = torch.randn(len(slots), *x.shape[2:], generator=generator, dtype=torch.float64)
        x.flatten(0, 1)[slots] = values.to(x.dtype)


def make(
    prompts: list[list[int]],
    *,
    block_size: int = 4,
    group: int = 2,
    kv_heads: int = 2,
    head_dim: int = 16,
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
) -> Batch:
    """Admit these prompts, share what they share, and give every used slot random KV."""
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    num_blocks = sum(-(-len(prompt) // block_size) for prompt in prompts) + 3
    manager = KVCacheManager(CacheConfig(num_blocks, block_size))
    shuffled(manager, rng)
    sequences = []
    for prompt in prompts:
        sequences.append(manager.allocate(prompt))
        manager.commit(sequences[-1], len(prompt))
    shape = (num_blocks, block_size, kv_heads, head_dim)
    pool = KVPool(*(torch.full(shape, torch.nan, dtype=dtype) for _ in "kv"))
    fill(pool, sequences, generator)
    q = torch.randn(len(prompts), kv_heads * group, head_dim, generator=generator)
    return Batch(manager, sequences, pool, q.to(dtype))


def family(num_children: int, *lengths: int, seed: int = 0) -> list[list[int]]:
    """Make prompts that share a first part, pairs of which share a second, each with its own tail.

    `lengths` are the tokens of the parts.
    """
    rng = np.random.default_rng(seed)
    parts = [rng.integers(1000, size=(num_children, n)).tolist() for n in lengths]
    prompts = []
    for child in range(num_children):
        prompt: list[int] = []
        for level, part in enumerate(parts):
            prompt += part[child >> (len(parts) - 1 - level) if level + 1 < len(parts) else child]
        prompts.append(prompt)
    return prompts
