"""The reference in twenty lines: gather a sequence's keys and values, then attend densely.

It is slow on purpose. In fp64 it is the oracle for all other backends. It always computes in fp32
or fp64.
"""

import torch
from torch import Tensor

from radixlab.attention.checks import require_dtype
from radixlab.attention.plan import DecodePlan, PrefillPlan
from radixlab.attention.pool import KVPool


def attend(q: Tensor, k: Tensor, v: Tensor, num_cached: int | None = None) -> tuple[Tensor, Tensor]:
    """Attend `q` `[n, H, D]` densely over `k`, `v` `[T, HK, D]`.

    With `num_cached`, query i has position `num_cached + i` and sees no later key. Without it,
    every query sees every key. Returns `out` `[n, H, D]` and `lse` `[n, H]`, in fp32 or fp64.
    """
    group = q.shape[1] // k.shape[1]
    q, k, v = (x.to(wide(x.dtype)) for x in (q, k, v))
    k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)  # [T, H, D]
    scores = torch.einsum("nhd,thd->nht", q, k) * q.shape[-1] ** -0.5
    if num_cached is not None:
        position = num_cached + torch.arange(len(q), device=q.device)
        later = torch.arange(len(k), device=q.device) > position[:, None]  # [n, T]
        scores = scores.masked_fill(later[:, None], -torch.inf)
    return torch.einsum("nht,thd->nhd", scores.softmax(-1), v), scores.logsumexp(-1)


def wide(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype to compute in: fp64 for fp64, else fp32."""
    return torch.promote_types(dtype, torch.float32)


def gather(pool: Tensor, block_ids: Tensor, num_tokens: int) -> Tensor:
    """Copy the first `num_tokens` tokens of these blocks into one tensor, `[num_tokens, HK, D]`."""
    return pool[block_ids].flatten(0, 1)[:num_tokens]


def require(pool: KVPool, group_size: int) -> None:
    """Raise `BackendError` for a dtype in which torch cannot compute attention."""
    require_dtype("reference", pool)


def decode(q: Tensor, pool: KVPool, plan: DecodePlan) -> tuple[Tensor, Tensor]:
    """Attend one query per sequence, with all of its spans gathered into one dense matrix."""
    out, lse = q.new_empty(q.shape), q.new_empty(q.shape[:2], dtype=wide(q.dtype))
    starts, parts = plan.parts_by_rank()
    span_of_part = torch.arange(plan.num_spans).repeat_interleave(
        torch.from_numpy(plan.num_queries).long()
    )
    for rank, row in enumerate(plan.order.tolist()):
        spans = span_of_part[parts[starts[rank] : starts[rank + 1]]].tolist()
        k, v = (
            torch.cat([gather(x, ids_of(plan, span, x), plan.num_tokens[span]) for span in spans])
            for x in (pool.k, pool.v)
        )
        partial, partial_lse = attend(q[row : row + 1], k, v)
        out[row], lse[row] = partial[0], partial_lse[0]
    return out, lse


def prefill(q: Tensor, pool: KVPool, plan: PrefillPlan) -> tuple[Tensor, Tensor]:
    """Attend the new tokens of each sequence over its cached prefix and over themselves."""
    out, lse = q.new_empty(q.shape), q.new_empty(q.shape[:2], dtype=wide(q.dtype))
    for row, num_tokens in enumerate(plan.context_lens.tolist()):
        start = int(plan.cu_q[row])
        stop = int(plan.cu_q[row + 1])
        table = plan.block_tables[row, : -(-num_tokens // pool.block_size)]
        blocks = torch.from_numpy(table).to(q.device, torch.int64)
        k = gather(pool.k, blocks, num_tokens)
        v = gather(pool.v, blocks, num_tokens)
        num_cached = num_tokens - (stop - start)
        out[start:stop], lse[start:stop] = attend(q[start:stop], k, v, num_cached)
    return out, lse


def write_kv(pool: KVPool, k_new: Tensor, v_new: Tensor, slots: Tensor) -> None:
    """Store new keys and values `[T, kv_heads, head_dim]` at `slots` `[T]`, one token at a time."""
    for i, slot in enumerate(slots.tolist()):
        pool.k[slot // pool.block_size, slot % pool.block_size] = k_new[i]
        pool.v[slot // pool.block_size, slot % pool.block_size] = v_new[i]


def ids_of(plan: DecodePlan, span: int, like: Tensor) -> Tensor:
    """Return a span's block ids as a tensor on the pool's device, int64."""
    return torch.from_numpy(plan.blocks_of(span)).to(like.device, torch.int64)
