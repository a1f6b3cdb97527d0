"""A pool in use, and five requests that share prefixes: the batch of lesson 06.

This file knows the cache and the toy layer. The notebook and the child process make the same batch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from radixlab.attention import DecodePlan, KVPool, flat_plan, write_kv
from radixlab.cache import CacheConfig, KVCacheManager, Sequence
from radixlab.lesson.props.paged.toy import HEAD_DIM, KV_HEADS, ToyLayer
from radixlab.lesson.tokens import encode

BLOCK_SIZE = 4
PROMPT = "Answer in one line. "
DOCUMENTS = ("Rome is old. It is in Italy.", "The sun is a star. It's hot.", "")
QUESTIONS = (
    (" How old?", " And where?"),
    (" Is it hot?", " How far?"),
    ("Who are you?",),
)


def used_pool(num_blocks: int, seed: int = 0) -> tuple[KVCacheManager, KVPool]:
    """Make a cache that has been in use, so that its free blocks are in random order.

    Its pool holds NaN, so that a read from an unwritten slot is noticed.
    """
    manager = KVCacheManager(CacheConfig(num_blocks, BLOCK_SIZE))
    blocks = manager.allocator.allocate(num_blocks)
    manager.allocator.free(np.random.default_rng(seed).permutation(blocks).astype(np.int32))
    shape = (num_blocks, BLOCK_SIZE, KV_HEADS, HEAD_DIM)
    return manager, KVPool(torch.full(shape, torch.nan), torch.full(shape, torch.nan))


@dataclass(frozen=True, slots=True)
class FiveRequests:
    """Requests that decode together, one query each."""

    manager: KVCacheManager
    sequences: list[Sequence]
    pool: KVPool
    q: Tensor
    """`[B, 4, 32]`: the queries of each sequence's last token."""

    def flat_plan(self) -> DecodePlan:
        """Plan one span for each request, by its block table."""
        widest = max(len(sequence.block_table) for sequence in self.sequences)
        tables = [np.resize(sequence.block_table, widest) for sequence in self.sequences]
        return flat_plan(tables, [s.num_tokens for s in self.sequences], self.pool.block_size)

    def double(self) -> KVPool:
        """Return the pool in fp64."""
        return KVPool(self.pool.k.double(), self.pool.v.double())


def five_requests(layer: ToyLayer, manager: KVCacheManager, pool: KVPool) -> FiveRequests:
    """Admit five requests that begin with one prompt; shared tokens are computed once."""
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
    return FiveRequests(manager, sequences, pool, torch.stack(queries))
