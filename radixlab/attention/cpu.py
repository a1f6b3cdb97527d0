"""Paged attention on a CPU, with torch: nothing is copied that does not have to be.

Two rules make it fast:

- the query heads that share a KV head are rows of one matrix product, and so are the queries that
  share a span: `[kv_heads, queries · group, D] × [kv_heads, T, D]`;
- blocks with consecutive ids are one dense matrix: a view, no gather. (One padded batch of all
  short spans was tried: the copies it takes cost more than the calls it saves.)

The kernel is torch's own flash attention for CPUs, which gives the log-sum-exp too. It is private
to torch, so `flash` compares shapes only and a test compares its numbers with plain products.
"""

import numpy as np
import torch
from torch import Tensor

from radixlab.attention.merge import merge_slots, merge_states
from radixlab.attention.plan import DecodePlan, IntArray
from radixlab.attention.pool import KVPool


def decode(q: Tensor, pool: KVPool, plan: DecodePlan) -> tuple[Tensor, Tensor]:
    """Attend one query per sequence: `q` `[B, H, D]` → `out` `[B, H, D]`, `lse` `[B, H]` fp32."""
    order = torch.from_numpy(plan.order).long()
    q = q[order]
    num_slots = int(plan.num_queries.sum())
    out = q.new_empty((num_slots, *q.shape[1:]), dtype=torch.float32)
    lse = out.new_empty(out.shape[:2])
    first_slot = plan.first_slot
    for span in range(plan.num_spans):
        first, stop = int(first_slot[span]), int(first_slot[span + 1])
        place = int(plan.first_query[span])
        rows = q[place : place + stop - first]
        out[first:stop], lse[first:stop] = _span(rows, pool, plan, span)
    query_of_slot = torch.from_numpy(plan.query_of_slot).long()
    merged, merged_lse = merge_slots(out, lse, query_of_slot, len(order))
    result, result_lse = torch.empty_like(q), torch.empty_like(merged_lse)
    result[order], result_lse[order] = merged.to(q.dtype), merged_lse
    return result, result_lse


def prefill(
    q: Tensor, pool: KVPool, cu_q: IntArray, block_tables: IntArray, context_lens: IntArray
) -> tuple[Tensor, Tensor]:
    """Attend new tokens over their cached prefix and over themselves, and merge the two.

    The prefix needs no mask, for all of it is earlier. `q` `[T, H, D]` holds the new tokens of all
    sequences, those of row i at `[cu_q[i], cu_q[i + 1])`; `context_lens` counts cached and new.
    """
    out, lse = torch.empty_like(q), q.new_empty(q.shape[:2], dtype=torch.float32)
    bounds = cu_q.tolist()
    for row, num_tokens in enumerate(context_lens.tolist()):
        start, stop = bounds[row : row + 2]
        num_cached = num_tokens - (stop - start)
        if start == stop:
            continue
        blocks = block_tables[row, : -(-num_tokens // pool.block_size)]
        k, v = rows_of(pool.k, blocks, num_tokens), rows_of(pool.v, blocks, num_tokens)
        new = q[start:stop]
        result = _causal(new, k[num_cached:], v[num_cached:])
        if num_cached:
            prefix = _folded(new, k[:num_cached], v[:num_cached])
            result = merge_states(*prefix, *result)
        out[start:stop], lse[start:stop] = result
    return out, lse


def write_kv(pool: KVPool, k_new: Tensor, v_new: Tensor, slots: Tensor) -> None:
    """Store new keys and values `[T, kv_heads, head_dim]` at `slots` `[T]`, int64."""
    pool.k.flatten(0, 1)[slots] = k_new
    pool.v.flatten(0, 1)[slots] = v_new


def rows_of(pool: Tensor, block_ids: IntArray, num_tokens: int) -> Tensor:
    """Return the tokens of these blocks, `[num_tokens, kv_heads, head_dim]`.

    A view where the ids are consecutive, else a copy.
    """
    first, count = int(block_ids[0]), len(block_ids)
    if int(block_ids[-1]) - first == count - 1 and bool((np.diff(block_ids) == 1).all()):
        dense = pool[first : first + count]
    else:
        dense = pool.index_select(0, torch.from_numpy(block_ids.astype(np.int64)))
    return dense.flatten(0, 1)[:num_tokens]


def flash(q: Tensor, k: Tensor, v: Tensor, causal: bool = False) -> tuple[Tensor, Tensor]:
    """Attend `q` `[N, M, R, D]` over `k`, `v` `[N, M, T, D]`; return out and lse `[N, M, R]`."""
    out, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, causal)
    return out, lse


def _span(q: Tensor, pool: KVPool, plan: DecodePlan, span: int) -> tuple[Tensor, Tensor]:
    """Attend one span: `q` `[S, H, D]` → `[S, H, D]`, `[S, H]`."""
    blocks, num_tokens = plan.blocks_of(span), int(plan.num_tokens[span])
    return _folded(q, rows_of(pool.k, blocks, num_tokens), rows_of(pool.v, blocks, num_tokens))


def _folded(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Attend `q` `[S, H, D]` over all of `k`, `v` `[T, HK, D]`: S · group rows for each KV head."""
    num_queries, num_heads, head_dim = q.shape
    kv_heads = k.shape[1]
    group = num_heads // kv_heads
    rows = q.view(num_queries, kv_heads, group, head_dim).transpose(0, 1)  # [HK, S, G, D]
    rows = rows.reshape(1, kv_heads, num_queries * group, head_dim)
    out, lse = flash(rows, k.transpose(0, 1)[None], v.transpose(0, 1)[None])
    out = out.view(kv_heads, num_queries, group, head_dim).transpose(0, 1)
    lse = lse.view(kv_heads, num_queries, group).transpose(0, 1)
    return out.reshape(q.shape), lse.reshape(num_queries, num_heads)


def _causal(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Attend `q` `[n, H, D]` over `k`, `v` `[n, HK, D]`, query i over keys 0 to i."""
    num_queries, num_heads, head_dim = q.shape
    kv_heads = k.shape[1]
    group = num_heads // kv_heads
    rows = q.view(num_queries, kv_heads, group, head_dim).permute(1, 2, 0, 3)  # [HK, G, n, D]
    shape = (kv_heads, group, num_queries, head_dim)
    keys, values = (x.transpose(0, 1)[:, None].expand(shape) for x in (k, v))
    out, lse = flash(rows, keys, values, causal=True)
    out = out.permute(2, 0, 1, 3).reshape(q.shape)
    return out, lse.permute(2, 0, 1).reshape(num_queries, num_heads)
