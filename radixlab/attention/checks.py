"""What must fit before a kernel runs: shapes, dtypes, devices, block ids, lengths.

A kernel follows block ids without looking. So a wrong one must be found here, on the host.
"""

import numpy as np
from torch import Tensor

from radixlab.attention.errors import AttentionError
from radixlab.attention.plan import DecodePlan, IntArray
from radixlab.attention.pool import KVPool


def check_queries(q: Tensor, pool: KVPool) -> None:
    """Raise `AttentionError` unless `q` is `[n, H, D]` and fits the pool."""
    kv_heads, head_dim = pool.kv_heads, pool.head_dim
    if pool.k.shape != pool.v.shape:
        raise AttentionError(f"k is {list(pool.k.shape)}, v is {list(pool.v.shape)}")
    if q.ndim != 3 or q.shape[2] != head_dim or q.shape[1] % kv_heads:
        raise AttentionError(
            f"q is {list(q.shape)}: it must be [n, a multiple of {kv_heads}, {head_dim}]"
        )
    if not q.dtype == pool.k.dtype == pool.v.dtype:
        raise AttentionError(f"q is {q.dtype}, k is {pool.k.dtype}, v is {pool.v.dtype}")
    if not q.device == pool.k.device == pool.v.device:
        raise AttentionError(f"q is on {q.device}, k on {pool.k.device}, v on {pool.v.device}")


def check_plan(q: Tensor, pool: KVPool, plan: DecodePlan) -> None:
    """Raise `AttentionError` unless the plan is for these queries and this pool."""
    check_queries(q, pool)
    if len(plan.order) != len(q):
        raise AttentionError(f"the plan is for {len(plan.order)} queries, q has {len(q)}")
    if plan.block_size != pool.block_size:
        raise AttentionError(
            f"the plan is for blocks of {plan.block_size}, the pool's have {pool.block_size}"
        )
    _check_blocks(plan.block_ids, pool)


def check_prefill(
    q: Tensor, pool: KVPool, cu_q: IntArray, block_tables: IntArray, context_lens: IntArray
) -> None:
    """Raise `AttentionError` unless the ragged batch is consistent and within the pool."""
    check_queries(q, pool)
    rows = len(context_lens)
    if cu_q.shape != (rows + 1,) or block_tables.ndim != 2 or len(block_tables) != rows:
        raise AttentionError(
            f"cu_q {list(cu_q.shape)} and block_tables {list(block_tables.shape)} "
            f"do not fit {rows} context_lens"
        )
    new = np.diff(cu_q)
    if cu_q[0] != 0 or cu_q[-1] != len(q) or (rows and new.min() < 0):
        raise AttentionError(f"cu_q must rise from 0 to {len(q)}, not {cu_q.tolist()}")
    capacity = block_tables.shape[1] * pool.block_size
    for row in np.flatnonzero((context_lens < new) | (context_lens > capacity)).tolist():
        raise AttentionError(
            f"context_lens[{row}] is {context_lens[row]}: with {new[row]} new tokens and a table "
            f"of {block_tables.shape[1]} blocks it must be {new[row]} to {capacity}"
        )
    used = np.arange(block_tables.shape[1]) < -(-context_lens[:, None] // pool.block_size)
    _check_blocks(block_tables[used], pool)


def _check_blocks(block_ids: IntArray, pool: KVPool) -> None:
    if len(block_ids) and not 0 <= block_ids.min() <= block_ids.max() < pool.num_blocks:
        wrong = block_ids[(block_ids < 0) | (block_ids >= pool.num_blocks)][0]
        raise AttentionError(f"block {wrong} is not in the pool of {pool.num_blocks}")
