"""What attention is measured on: running sequences of a real cache, and KV for a few layers.

A case is a tree of prompts: level by level, how many different parts there are and how long they
are. It knows no clock and no contender.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from radixlab.attention import DecodePlan, KVPool, flat_plan, tree_plan
from radixlab.attention.plan import IntArray
from radixlab.attention.reference import attend, gather
from radixlab.cache import CacheConfig, KVCacheManager, Sequence

HEADS, KV_HEADS, HEAD_DIM, BLOCK_SIZE = 32, 8, 128, 16
GROUP = HEADS // KV_HEADS


@dataclass(frozen=True, slots=True)
class Case:
    """Prompts that share their beginnings."""

    levels: tuple[tuple[int, int], ...]
    """`(number of parts, tokens of each)`; the last number is that of the requests."""

    @property
    def num_requests(self) -> int:
        """Requests that decode together."""
        return self.levels[-1][0]

    @property
    def unique_tokens(self) -> int:
        """Tokens whose KV has to be read at least once."""
        return sum(count * tokens for count, tokens in self.levels)

    @property
    def name(self) -> str:
        """How a table calls it.

        >>> Case(((1, 8192), (64, 128))).name
        '1 × 8,192 + 64 × 128'
        """
        return " + ".join(f"{count:,} × {tokens:,}" for count, tokens in self.levels)

    def prompts(self) -> list[IntArray]:
        """Return the prompts: no two parts have a token in common."""
        first, parts = 0, []
        for count, tokens in self.levels:
            ids = np.arange(first, first + count * tokens, dtype=np.int32)
            parts.append(ids.reshape(count, tokens))
            first += count * tokens
        requests = range(self.num_requests)
        counts = [count for count, _ in self.levels]
        return [
            np.concatenate(
                [
                    part[request * count // self.num_requests]
                    for part, count in zip(parts, counts, strict=True)
                ]
            )
            for request in requests
        ]


@dataclass
class Running:
    """A case in a cache, with KV of every layer. Only blocks in use have any."""

    case: Case
    sequences: list[Sequence]
    pools: list[KVPool]
    queries: list[Tensor]
    """By layer, `[B, H, D]`."""

    @property
    def tables(self) -> IntArray:
        """`[B, max_blocks]`."""
        return np.stack([sequence.block_table for sequence in self.sequences])

    @property
    def lens(self) -> IntArray:
        """`[B]`: tokens of each."""
        return np.array([sequence.num_tokens for sequence in self.sequences], np.int32)

    @cached_property
    def flat(self) -> DecodePlan:
        """The plan that shares nothing."""
        return flat_plan(self.tables, self.lens, BLOCK_SIZE)

    @cached_property
    def tree(self) -> DecodePlan:
        """The plan that the tree gives."""
        return tree_plan(self.sequences, BLOCK_SIZE, GROUP)

    @property
    def floor_bytes(self) -> int:
        """Bytes of K and V that one layer must read."""
        itemsize = int(self.pools[0].k.element_size())
        return self.case.unique_tokens * KV_HEADS * HEAD_DIM * 2 * itemsize

    @property
    def flops(self) -> int:
        """Multiplications and additions of one layer: scores, and values."""
        return 4 * HEADS * HEAD_DIM * int(self.lens.sum())

    def error(self, out: Tensor, layer: int) -> float:
        """Return the largest difference from fp64, of the first and the last row, relative."""
        pool, worst = self.pools[layer], 0.0
        for row in {0, len(out) - 1}:
            blocks = torch.from_numpy(self.tables[row]).to(out.device, torch.int64)
            num_tokens = int(self.lens[row])
            k, v = (gather(x, blocks, num_tokens).double() for x in (pool.k, pool.v))
            want = attend(self.queries[layer][row : row + 1].double(), k, v)[0][0]
            worst = max(worst, float((out[row].double() - want).abs().max() / want.abs().max()))
        return worst


def admit(case: Case, room_blocks: int = 0) -> tuple[KVCacheManager, list[Sequence]]:
    """Admit the prompts to a cache, one after the other, so that they share what they share."""
    num_blocks = sum(count * -(-tokens // BLOCK_SIZE) for count, tokens in case.levels)
    manager = KVCacheManager(CacheConfig(num_blocks + case.num_requests + room_blocks, BLOCK_SIZE))
    sequences = []
    for prompt in case.prompts():
        sequences.append(manager.allocate(prompt))
        manager.commit(sequences[-1], len(prompt))
    return manager, sequences


def run_case(case: Case, dtype: torch.dtype, device: str, num_layers: int) -> Running:
    """Admit the prompts, and draw KV and queries for every layer."""
    manager, sequences = admit(case)
    generator = torch.Generator(device).manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=dtype, device=device)

    shape = (manager.config.num_blocks, BLOCK_SIZE, KV_HEADS, HEAD_DIM)
    pools = [KVPool(draw(*shape), draw(*shape)) for _ in range(num_layers)]
    queries = [draw(case.num_requests, HEADS, HEAD_DIM) for _ in range(num_layers)]
    return Running(case, sequences, pools, queries)
