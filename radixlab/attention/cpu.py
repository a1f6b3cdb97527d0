"""Paged attention on a CPU, with torch: few calls, and few copies.

Three rules make it fast:

- the query heads that share a KV head are rows of one matrix product, and so are the queries that
  share a span: `[kv_heads, queries · group, D] × [kv_heads, T, D]`;
- blocks with consecutive ids are one dense matrix: a view, without a copy;
- short spans of single sequences are gathered into one batch, and attended in one call (spans.py).

The kernel is torch's own flash attention for CPUs, which also returns the log-sum-exp. It is
private to torch: if it is missing, `products` computes the same. A test compares the two.
"""

import torch
from torch import Tensor

from radixlab.attention.checks import require_dtype
from radixlab.attention.errors import BackendError
from radixlab.attention.merge import merge_parts, merge_states
from radixlab.attention.plan import DecodePlan, PrefillPlan
from radixlab.attention.pool import KVPool
from radixlab.attention.reference import wide
from radixlab.attention.spans import ManySpans, OneSpan, prepare, where

FLASH = getattr(torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu", None)


def require(pool: KVPool, group_size: int) -> None:
    """Raise `BackendError` for a pool on another device, or a dtype that torch's kernel lacks."""
    if pool.k.device.type != "cpu":
        raise BackendError(f"backend 'cpu' cannot read a pool on {pool.k.device}")
    require_dtype("cpu", pool)


def decode(q: Tensor, pool: KVPool, plan: DecodePlan) -> tuple[Tensor, Tensor]:
    """Attend one query per sequence: `q` `[B, H, D]` → `out` `[B, H, D]`, `lse` `[B, H]`."""
    width = pool.kv_heads * pool.head_dim
    work = plan.once(("cpu", width), lambda: prepare(plan, width))
    parts = [_alone(q, pool, span) for span in work.spans]
    parts += [_batched(q, pool, batch) for batch in work.batches]
    if not parts:
        return torch.empty_like(q), q.new_empty(q.shape[:2], dtype=wide(q.dtype))
    out, lse = parts[0] if len(parts) == 1 else map(torch.cat, zip(*parts, strict=True))
    if work.row_of_part is not None:
        out, lse = merge_parts(out.to(wide(q.dtype)), lse, work.row_of_part, len(q))
    elif work.part_of_row is not None:
        out, lse = out.index_select(0, work.part_of_row), lse.index_select(0, work.part_of_row)
    return out.to(q.dtype), lse


def prefill(q: Tensor, pool: KVPool, plan: PrefillPlan) -> tuple[Tensor, Tensor]:
    """Attend new tokens over their cached prefix and over themselves, and merge the two.

    The prefix needs no mask, because all of it precedes the new tokens. `q` `[T, H, D]` holds the
    new tokens of all sequences.
    """
    out = q.new_empty(q.shape)
    lse = q.new_empty(q.shape[:2], dtype=wide(q.dtype))
    for rows, blocks, num_tokens in plan.once(
        ("cpu", pool.block_size), lambda: _prompts(plan, pool.block_size)
    ):
        num_cached = num_tokens - (rows.stop - rows.start)
        k = rows_of(pool.k, blocks, num_tokens)
        v = rows_of(pool.v, blocks, num_tokens)
        new = q[rows]
        result = _causal(new, k[num_cached:], v[num_cached:])
        if num_cached:
            prefix = _folded(new, k[:num_cached], v[:num_cached])
            result = merge_states(*prefix, *result)
        out[rows], lse[rows] = result
    return out, lse


def _prompts(plan: PrefillPlan, block_size: int) -> list[tuple[slice, slice | Tensor, int]]:
    """Return the rows, the blocks and the context length of each sequence that has new tokens."""
    starts = plan.cu_q[:-1].tolist()
    stops = plan.cu_q[1:].tolist()
    return [
        (slice(start, stop), where(table[: -(-num_tokens // block_size)]), num_tokens)
        for start, stop, table, num_tokens in zip(
            starts, stops, plan.block_tables, plan.context_lens.tolist(), strict=True
        )
        if start < stop
    ]


def write_kv(pool: KVPool, k_new: Tensor, v_new: Tensor, slots: Tensor) -> None:
    """Store new keys and values `[T, kv_heads, head_dim]` at `slots` `[T]`, int64."""
    pool.k.flatten(0, 1).index_copy_(0, slots, k_new)
    pool.v.flatten(0, 1).index_copy_(0, slots, v_new)


def rows_of(pool: Tensor, blocks: slice | Tensor, num_tokens: int) -> Tensor:
    """Return the tokens of these blocks, `[num_tokens, kv_heads, head_dim]`; a view if possible."""
    dense = pool[blocks] if isinstance(blocks, slice) else pool.index_select(0, blocks)
    return dense.flatten(0, 1)[:num_tokens]


def flash(
    q: Tensor, k: Tensor, v: Tensor, causal: bool = False, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Attend `q` `[N, M, R, D]` over `k`, `v` `[N, M, T, D]`; return out and lse `[N, M, R]`.

    `mask`, which broadcasts to `[N, M, R, T]`, is added to the attention scores.
    """
    if FLASH is None:
        return products(q, k, v, causal, mask)
    out, lse = FLASH(q, k, v, 0.0, causal, attn_mask=mask)
    return out, lse


def products(
    q: Tensor, k: Tensor, v: Tensor, causal: bool = False, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Do the same as `flash` by plain matrix products, for a torch without that kernel."""
    exact = wide(q.dtype)
    scores = q.to(exact) @ k.to(exact).transpose(-1, -2) * q.shape[-1] ** -0.5  # [N, M, R, T]
    if mask is not None:
        scores = scores + mask
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    return (scores.softmax(-1) @ v.to(exact)).to(q.dtype), scores.logsumexp(-1)


def _alone(q: Tensor, pool: KVPool, span: OneSpan) -> tuple[Tensor, Tensor]:
    """Attend the queries of `q` `[B, H, D]` that read one span."""
    k, v = (rows_of(x, span.blocks, span.num_tokens) for x in (pool.k, pool.v))
    return _folded(q.index_select(0, span.rows), k, v)


def _batched(q: Tensor, pool: KVPool, batch: ManySpans) -> tuple[Tensor, Tensor]:
    """Attend n queries of `q` `[B, H, D]`, each over its own T tokens, in one call."""
    q = q if batch.rows is None else q.index_select(0, batch.rows)
    num, num_heads, head_dim = q.shape
    kv_heads = pool.kv_heads
    shape = (num, -1, kv_heads, head_dim)
    k, v = (
        x.flatten(0, 1).flatten(1).index_select(0, batch.tokens).view(shape).transpose(1, 2)
        for x in (pool.k, pool.v)
    )  # [n, kv_heads, T, D]
    rows = q.view(num, kv_heads, num_heads // kv_heads, head_dim)
    out, lse = flash(rows, k, v, mask=batch.mask)
    return out.reshape(num, num_heads, head_dim), lse.reshape(num, num_heads)


def _folded(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Attend `q` `[S, H, D]` over all of `k`, `v` `[T, HK, D]`: S · group rows per KV head."""
    num_queries, num_heads, head_dim = q.shape
    kv_heads = k.shape[1]
    group = num_heads // kv_heads
    keys, values = k.transpose(0, 1)[None], v.transpose(0, 1)[None]  # [1, HK, T, D]
    if num_queries == 1:  # the rows already have this order
        out, lse = flash(q.view(1, kv_heads, group, head_dim), keys, values)
        return out.reshape(q.shape), lse.reshape(1, num_heads)
    rows = q.view(num_queries, kv_heads, group, head_dim).transpose(0, 1)  # [HK, S, G, D]
    out, lse = flash(rows.reshape(1, kv_heads, num_queries * group, head_dim), keys, values)
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
