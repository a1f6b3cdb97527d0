"""One attention layer small enough to watch: random weights, byte tokens, real RoPE.

It projects tokens to queries, keys and values as a model's layer does. The key of a token depends
on the token and its position only, so whoever computes it gets the same; in a model of many layers
it depends on all tokens before it, too. Knows no block and no cache.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from radixlab.attention import DecodePlan, KVPool, flat_plan, write_kv
from radixlab.cache import CacheConfig, KVCacheManager, Sequence
from radixlab.lesson.tokens import encode
from radixlab.model.llama import rope_frequencies, rotate

HEADS, KV_HEADS, HEAD_DIM, WIDTH = 4, 2, 32, 32
BLOCK_SIZE = 4


class ToyLayer:
    """Embedding and the three projections of a layer: 4 query heads, 2 KV heads of 32."""

    def __init__(self, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator)

        self.embedding = draw(256, WIDTH)
        self.w_q, self.w_k, self.w_v = (
            draw(WIDTH, heads * HEAD_DIM) * WIDTH**-0.5 for heads in (HEADS, KV_HEADS, KV_HEADS)
        )
        self.frequencies = rope_frequencies(HEAD_DIM, theta=10_000.0)

    def project(self, tokens: Many[int], start: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Give `q` `[n, 4, 32]` and `k`, `v` `[n, 2, 32]` of tokens at positions `start` on."""
        hidden = self.embedding[torch.tensor(tokens)]  # [n, WIDTH]
        angles = (start + torch.arange(len(tokens)))[:, None, None] * self.frequencies
        turn = angles.cos(), angles.sin()  # [n, 1, HEAD_DIM / 2]
        q, k, v = (
            (hidden @ w).view(len(tokens), -1, HEAD_DIM) for w in (self.w_q, self.w_k, self.w_v)
        )
        return rotate(q, turn), rotate(k, turn), v


def agree(a: Tensor, b: Tensor, within: float = 1e-5) -> bool:
    """Tell whether no two numbers differ by more than `within`."""
    return bool((a - b).abs().max() <= within)


def used_pool(num_blocks: int, seed: int = 0) -> tuple[KVCacheManager, KVPool]:
    """Make a cache that has been in use for a while: it hands blocks out in no order.

    Its pool holds NaN: whoever reads a slot that nobody has written will notice.
    """
    manager = KVCacheManager(CacheConfig(num_blocks, BLOCK_SIZE))
    blocks = manager.allocator.allocate(num_blocks)
    manager.allocator.free(np.random.default_rng(seed).permutation(blocks).astype(np.int32))
    shape = (num_blocks, BLOCK_SIZE, KV_HEADS, HEAD_DIM)
    return manager, KVPool(torch.full(shape, torch.nan), torch.full(shape, torch.nan))


@dataclass(frozen=True, slots=True)
class Running:
    """Requests that decode together, one query each."""

    manager: KVCacheManager
    sequences: list[Sequence]
    pool: KVPool
    q: Tensor
    """`[B, 4, 32]`: of each sequence's last token."""

    def flat_plan(self) -> DecodePlan:
        """Plan one span for each request, by its block table."""
        widest = max(len(sequence.block_table) for sequence in self.sequences)
        tables = [np.resize(sequence.block_table, widest) for sequence in self.sequences]
        return flat_plan(tables, [s.num_tokens for s in self.sequences], self.pool.block_size)

    def double(self) -> KVPool:
        """Return the pool in fp64."""
        return KVPool(self.pool.k.double(), self.pool.v.double())


PROMPT = "Answer in one line. "
DOCUMENTS = ("Rome is old. It is in Italy.", "The sun is a star. It's hot.", "")
QUESTIONS = (
    (" How old?", " And where?", " Built when?"),
    (" Is it hot?", " How far?"),
    ("Who are you?",),
)


def six_requests(layer: ToyLayer, manager: KVCacheManager, pool: KVPool) -> Running:
    """Admit six requests: one prompt, two documents, six questions, each token computed once."""
    texts = [
        PROMPT + document + question
        for document, questions in zip(DOCUMENTS, QUESTIONS, strict=True)
        for question in questions
    ]
    sequences, queries = [], []
    for text in texts:
        tokens = encode(text)
        sequence = manager.allocate(tokens)
        hit = sequence.hit_tokens
        q, k, v = layer.project(tokens[hit:], start=hit)
        write_kv(pool, k, v, sequence.slots(hit, len(tokens), BLOCK_SIZE))
        manager.commit(sequence, len(tokens))
        sequences.append(sequence)
        queries.append(q[-1])
    return Running(manager, sequences, pool, torch.stack(queries))
