"""Launching the kernels: which work items there are, and the buffers between them.

Spans of few rows and spans of many want different tiles, so a decode step has a launch for each
tile size that it needs, and one to merge: as many as there are at any depth of the tree.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from radixlab.attention.plan import DecodePlan, IntArray
from radixlab.attention.pool import KVPool
from radixlab.attention.triton.config import (
    DECODE,
    MAX_SPAN_TOKENS,
    PREFILL,
    TileConfig,
)
from radixlab.attention.triton.kernels import (
    decode_spans,
    merge_partials,
    prefill_tiles,
    write_slots,
)

LOG2E = 1.4426950408889634


@dataclass(frozen=True, slots=True)
class Launch:
    """The work items of one tile size."""

    config: TileConfig
    span: Tensor
    """int32 `[num_items]`."""
    row: Tensor
    """int32 `[num_items]`: the item's first row."""


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """A plan's arrays on the device, made once a step and used by every layer."""

    plan: DecodePlan
    """The host's, its spans cut into pieces."""
    launches: list[Launch]
    arrays: dict[str, Tensor]


def place(plan: DecodePlan, group_size: int, device: torch.device) -> DevicePlan:
    """Cut a plan into work items and copy it to the device."""
    pieces = plan.chunked(MAX_SPAN_TOKENS // plan.block_size * plan.block_size or plan.block_size)
    starts, slots = pieces.slots_by_query()
    arrays = {
        "order": pieces.order,
        "block_ids": pieces.block_ids,
        "first_block": pieces.first_block,
        "num_tokens": pieces.num_tokens,
        "first_query": pieces.first_query,
        "num_queries": pieces.num_queries,
        "first_slot": pieces.first_slot[:-1],
        "slot_starts": starts,
        "slots": slots,
    }
    on_device = {name: _to(array, device) for name, array in arrays.items()}
    launches = [
        Launch(config, _to(span, device), _to(row, device))
        for config, span, row in work_items(pieces, group_size)
    ]
    return DevicePlan(pieces, launches, on_device)


def work_items(plan: DecodePlan, group_size: int) -> list[tuple[TileConfig, IntArray, IntArray]]:
    """Give every span the smallest tile that holds its rows, or several of the largest.

    Returns, for each tile size that is needed, the span and the first row of each work item.
    """
    rows = plan.num_queries * group_size
    sizes = np.array([config.rows for config in DECODE])
    tile = np.minimum(np.searchsorted(sizes, rows), len(sizes) - 1)
    found = []
    for index in np.unique(tile):
        spans = np.flatnonzero(tile == index)
        count = -(-rows[spans] // sizes[index])
        span = np.repeat(spans, count)
        nth = np.arange(len(span)) - np.repeat(np.cumsum(count) - count, count)
        first_row = nth * sizes[index]
        found.append((DECODE[index], span.astype(np.int32), first_row.astype(np.int32)))
    return found


def decode(
    q: Tensor, pool: KVPool, plan: DecodePlan, placed: DevicePlan | None = None
) -> tuple[Tensor, Tensor]:
    """Attend one query per sequence: `q` `[B, H, D]` → as `q`, and `lse` `[B, H]`, fp32.

    `placed` is `place(plan, …)`, for callers that keep it from layer to layer.
    """
    num_queries, num_heads, head_dim = q.shape
    placed = placed or place(plan, num_heads // pool.kv_heads, q.device)
    num_slots = int(placed.plan.num_queries.sum())
    partial_out = torch.empty((num_slots, num_heads, head_dim), device=q.device)
    partial_lse = torch.empty((num_slots, num_heads), device=q.device)
    arrays = placed.arrays
    names = ("order", "block_ids", "first_block", "num_tokens", "first_query", "num_queries")
    for launch in placed.launches:
        decode_spans[(len(launch.span), pool.kv_heads)](
            q.contiguous(),
            pool.k,
            pool.v,
            *(arrays[name] for name in names),
            arrays["first_slot"],
            launch.span,
            launch.row,
            partial_out,
            partial_lse,
            head_dim**-0.5 * LOG2E,
            **_constants(q, pool, launch.config),
        )
    out, lse = torch.empty_like(q), partial_lse.new_empty((num_queries, num_heads))
    merge_partials[(num_queries, num_heads)](
        partial_out,
        partial_lse,
        arrays["order"],
        arrays["slot_starts"],
        arrays["slots"],
        out,
        lse,
        H=num_heads,
        D=head_dim,
        num_warps=1,
    )
    return out, lse


def prefill(
    q: Tensor, pool: KVPool, cu_q: IntArray, block_tables: IntArray, context_lens: IntArray
) -> tuple[Tensor, Tensor]:
    """Attend new tokens over their cached prefix and themselves: `q` `[T, H, D]` → as `q`, lse."""
    num_heads, head_dim = q.shape[1:]
    queries = PREFILL.rows // (num_heads // pool.kv_heads)
    count = -(-np.diff(cu_q) // queries)
    row = np.repeat(np.arange(len(count)), count)
    start = (np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)) * queries
    out = torch.empty_like(q)
    lse = torch.empty(q.shape[:2], device=q.device)
    if not len(row):
        return out, lse
    arrays = [cu_q, block_tables, context_lens, row, start]
    on_device = [_to(array, q.device) for array in arrays]
    prefill_tiles[(len(row), pool.kv_heads)](
        q.contiguous(),
        pool.k,
        pool.v,
        on_device[0],
        on_device[1],
        block_tables.shape[1],
        *on_device[2:],
        out,
        lse,
        head_dim**-0.5 * LOG2E,
        **_constants(q, pool, PREFILL),
    )
    return out, lse


def write_kv(pool: KVPool, k_new: Tensor, v_new: Tensor, slots: Tensor) -> None:
    """Store new keys and values `[T, kv_heads, head_dim]` at `slots` `[T]`, already checked."""
    width = pool.kv_heads * pool.head_dim
    padded = 1 << (width - 1).bit_length()
    if len(slots):
        write_slots[(len(slots),)](
            k_new.contiguous(),
            v_new.contiguous(),
            pool.k,
            pool.v,
            slots,
            WIDTH=width,
            PADDED=padded,
        )


def _constants(q: Tensor, pool: KVPool, config: TileConfig) -> dict[str, object]:
    return {
        "H": q.shape[1],
        "HK": pool.kv_heads,
        "D": q.shape[2],
        "BLOCK_SIZE": pool.block_size,
        "ROWS": config.rows,
        "KEYS": config.keys,
        "PRECISION": "ieee" if q.dtype == torch.float32 else "tf32",
        "num_stages": config.stages,
        "num_warps": config.warps,
    }


def _to(array: IntArray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.int32)).to(device, non_blocking=True)
