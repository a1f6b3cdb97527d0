"""Launching the kernels: the work items, and the buffers between the kernels.

Spans with few rows and spans with many rows need different tiles. So a decode step has one launch
for each tile size that it needs, and one launch to merge. The depth of the tree does not change the
number of launches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from radixlab.attention.errors import BackendError
from radixlab.attention.plan import DecodePlan, IntArray, PrefillPlan
from radixlab.attention.pool import KVPool
from radixlab.attention.triton.config import HEAD_DIMS, MIN_PIECE_TOKENS, TILES, TileConfig
from radixlab.attention.triton.kernels import (
    INTERPRETED,
    decode_spans,
    merge_partials,
    prefill_tiles,
    write_slots,
)

LOG2E = 1.4426950408889634
DTYPES = (torch.float16, torch.bfloat16, torch.float32)


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
    """A plan's arrays on the device, copied once per step and used by every layer."""

    num_parts: int
    launches: list[Launch]
    spans: list[Tensor]
    """The arrays that `decode_spans` takes, in its order."""
    parts: list[Tensor]
    """The arrays that `merge_partials` takes, in its order."""


def require(pool: KVPool, group_size: int) -> None:
    """Raise `BackendError` for a pool that the kernels cannot serve, on this machine or at all."""
    if pool.head_dim not in HEAD_DIMS or pool.k.dtype not in DTYPES:
        raise BackendError(
            f"backend 'triton' takes fp16, bf16 or fp32 and a head_dim of {HEAD_DIMS}, "
            f"not {pool.k.dtype} and {pool.head_dim}"
        )
    if group_size > (rows := TILES[pool.k.element_size()].prefill.rows):
        raise BackendError(
            f"backend 'triton' takes up to {rows} query heads per KV head, not {group_size}"
        )
    if not pool.k.is_cuda and not INTERPRETED:
        raise BackendError(f"backend 'triton' needs a GPU; the pool is on {pool.k.device}")
    if INTERPRETED and pool.k.dtype == torch.bfloat16:
        raise BackendError("Triton's interpreter computes bf16 wrongly: use fp16 or fp32")


def decode(q: Tensor, pool: KVPool, plan: DecodePlan) -> tuple[Tensor, Tensor]:
    """Attend one query per sequence: `q` `[B, H, D]` → `out` like `q`, `lse` `[B, H]` in fp32."""
    num_queries, num_heads, head_dim = q.shape
    how = num_heads // pool.kv_heads, q.element_size(), q.device
    ready = plan.once(("triton", *how), lambda: prepare(plan, *how, pool.kv_heads))
    out, lse = q.new_empty(q.shape), q.new_empty(q.shape[:2], dtype=torch.float32)
    if not num_queries:
        return out, lse
    one_part = ready.num_parts == num_queries
    parts_out, parts_lse = out, lse
    if not one_part:
        parts_out = torch.empty((ready.num_parts, num_heads, head_dim), device=q.device)
        parts_lse = torch.empty((ready.num_parts, num_heads), device=q.device)

    def run(launch: Launch) -> None:
        decode_spans[(len(launch.span), pool.kv_heads)](
            q,
            pool.k,
            pool.v,
            *ready.spans,
            launch.span,
            launch.row,
            parts_out,
            parts_lse,
            head_dim**-0.5 * LOG2E,
            ONE_PART=one_part,
            **_constants(q, pool, launch.config),
        )

    side_by_side(run, ready.launches, q.device)
    if one_part:
        return out, lse
    merge_partials[(num_queries, num_heads)](
        parts_out,
        parts_lse,
        *ready.parts,
        out,
        lse,
        H=num_heads,
        D=head_dim,
        PARTS=8,
        num_warps=1,
    )
    return out, lse


def side_by_side(
    run: Callable[[Launch], None], launches: list[Launch], device: torch.device
) -> None:
    """Run all launches, each on a stream of its own, and let the current stream wait for them.

    Tiles of few rows wait for memory, tiles of many for the matrix units: together they take hardly
    longer than the slower ones alone. The largest tiles come first, for they need the most room.
    """
    *others, largest = launches
    if device.type != "cuda" or not others:
        for launch in launches:
            run(launch)
        return
    current = torch.cuda.current_stream(device)
    streams = _streams(device.index)[: len(others)]
    for stream in streams:
        stream.wait_stream(current)
    run(largest)
    for stream, launch in zip(streams, others, strict=True):
        with torch.cuda.stream(stream):
            run(launch)
        current.wait_stream(stream)


@cache
def _streams(index: int) -> list[torch.cuda.Stream]:
    """Return streams of a GPU for all tile sizes but the largest."""
    return [torch.cuda.Stream(index) for _ in range(max(len(t.decode) for t in TILES.values()) - 1)]


def prefill(q: Tensor, pool: KVPool, plan: PrefillPlan) -> tuple[Tensor, Tensor]:
    """Attend new tokens over their cached prefix and themselves: `[T, H, D]` → the same, lse."""
    config = TILES[q.element_size()].prefill
    head_dim = q.shape[2]
    group = q.shape[1] // pool.kv_heads
    out, lse = q.new_empty(q.shape), q.new_empty(q.shape[:2], dtype=torch.float32)
    how = config.rows // group, q.device
    starts, tables, *others = plan.once(("triton", *how), lambda: prepare_tiles(plan, *how))
    num_tiles = len(others[-1])
    if not num_tiles:
        return out, lse
    prefill_tiles[(num_tiles, pool.kv_heads)](
        q,
        pool.k,
        pool.v,
        starts,
        tables,
        tables.shape[1],
        *others,
        out,
        lse,
        head_dim**-0.5 * LOG2E,
        **_constants(q, pool, config),
    )
    return out, lse


def write_kv(pool: KVPool, k_new: Tensor, v_new: Tensor, slots: Tensor) -> None:
    """Store new keys and values `[T, kv_heads, head_dim]` at `slots` `[T]`, already checked."""
    width = pool.kv_heads * pool.head_dim
    padded = 1 << (width - 1).bit_length()
    if len(slots):
        write_slots[(len(slots),)](k_new, v_new, pool.k, pool.v, slots, WIDTH=width, PADDED=padded)


def prepare_tiles(plan: PrefillPlan, num_queries: int, device: torch.device) -> list[Tensor]:
    """Cut new tokens into tiles; return the arguments of `prefill_tiles`, on the device."""
    tile_row, tile = _repeat(-(-np.diff(plan.cu_q) // num_queries))
    arrays = (plan.cu_q, plan.block_tables, plan.context_lens, tile_row, tile * num_queries)
    return [_to(array, device) for array in arrays]


def prepare(
    plan: DecodePlan, group_size: int, num_bytes: int, device: torch.device, kv_heads: int
) -> DevicePlan:
    """Cut a plan into work items and copy it to the device."""
    tiles = TILES[num_bytes].decode
    pieces = plan.chunked(piece_tokens(plan, group_size, tiles, kv_heads, processors(device)))
    first_part = pieces.first_part
    spans = (
        pieces.order,
        pieces.block_ids,
        pieces.first_block,
        pieces.num_tokens,
        pieces.first_query,
        pieces.num_queries,
        first_part[:-1],
    )
    return DevicePlan(
        int(first_part[-1]),
        [
            Launch(config, _to(span, device), _to(row, device))
            for config, span, row in work_items(pieces, group_size, tiles)
        ],
        [_to(array, device) for array in spans],
        [_to(array, device) for array in (pieces.order, *pieces.parts_by_rank())],
    )


def piece_tokens(
    plan: DecodePlan,
    group_size: int,
    tiles: tuple[TileConfig, ...],
    kv_heads: int,
    num_processors: int,
) -> IntArray:
    """Return how long the pieces of each span may be, `[num_spans]`.

    Long spans are cut, so that they keep the whole GPU busy; but each piece costs a partial result
    that is written, read and merged. So all spans of one tile size are cut into the longest pieces
    that give each processor its number of work items.
    """
    chosen, num_tiles = tiles_of(plan, group_size, tiles)
    longest = np.empty(plan.num_spans, np.int64)
    for size in np.unique(chosen).tolist():
        spans = chosen == size
        num_items = tiles[size].items_per_processor * num_processors / kv_heads
        share = (plan.num_tokens[spans] * num_tiles[spans]).sum() / num_items
        longest[spans] = 2 ** int(np.log2(max(share, MIN_PIECE_TOKENS)))
    return (-(-longest // plan.block_size) * plan.block_size).astype(np.int32)


def processors(device: torch.device) -> int:
    """Return the number of a GPU's processors; of an H100's where there is no GPU."""
    if device.type != "cuda":
        return 132
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def work_items(
    plan: DecodePlan, group_size: int, tiles: tuple[TileConfig, ...]
) -> list[tuple[TileConfig, IntArray, IntArray]]:
    """Give every span the smallest tile that holds its rows, or several of the largest.

    Returns, for each tile size in use, the span and the first row of each work item.
    """
    chosen, num_tiles = tiles_of(plan, group_size, tiles)
    found = []
    for size in np.unique(chosen).tolist():
        spans = np.flatnonzero(chosen == size)
        index, rank = _repeat(num_tiles[spans])
        first_row = (rank * tiles[size].rows).astype(np.int32)
        found.append((tiles[size], spans[index].astype(np.int32), first_row))
    return found


def tiles_of(
    plan: DecodePlan, group_size: int, tiles: tuple[TileConfig, ...]
) -> tuple[IntArray, IntArray]:
    """Return which tile size each span takes, and how many of them hold its rows."""
    rows = plan.num_queries * group_size
    sizes = np.array([config.rows for config in tiles])
    chosen = np.minimum(np.searchsorted(sizes, rows), len(sizes) - 1)
    return chosen, -(-rows // sizes[chosen])


def _repeat(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Repeat each index `count` times, with its rank among its repetitions: `(index, rank)`."""
    index = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    rank = np.arange(len(index), dtype=np.int32) - (np.cumsum(counts) - counts)[index]
    return index, rank.astype(np.int32)


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
