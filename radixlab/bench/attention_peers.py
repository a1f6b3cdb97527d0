"""Who computes in the attention benchmark: our plans, torch's own attention, FlashInfer.

A contender prepares what it may prepare once a step outside the timing, and returns a function that
takes a layer and returns `[B, H, D]`. One that cannot run here raises, and the report says why.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from radixlab.attention import DecodePlan, decode
from radixlab.attention.cpu import rows_of
from radixlab.attention.plan import IntArray, starts
from radixlab.attention.spans import where
from radixlab.bench.attention_cases import (
    BLOCK_SIZE,
    GROUP,
    HEAD_DIM,
    HEADS,
    KV_HEADS,
    Running,
)
from radixlab.bench.attention_clocks import Attend

OURS, PLAIN = "radixlab, tree plan", "radixlab, flat plan"


def contenders(device: str) -> dict[str, Callable[[Running], Attend]]:
    """Return who could run on this device, ours first."""
    ours: dict[str, Callable[[Running], Attend]] = {
        OURS: lambda running: planned(running, running.tree),
        PLAIN: lambda running: planned(running, running.flat),
    }
    if device == "cpu":
        return ours | {
            "torch SDPA per sequence, group in rows": lambda running: by_sequence(running, True),
            "torch SDPA per sequence, enable_gqa": lambda running: by_sequence(running, False),
        }
    return ours | {
        "torch SDPA, dense copies": sdpa_dense,
        "torch FlexAttention, dense copies": flex_dense,
        "FlashInfer decode": flashinfer_decode,
        "FlashInfer cascade": flashinfer_cascade,
    }


def planned(running: Running, plan: DecodePlan) -> Attend:
    """Run our own backend for this device."""
    return lambda layer: decode(running.queries[layer], running.pools[layer], plan)[0]


def by_sequence(running: Running, folded: bool) -> Attend:
    """Run torch's attention sequence by sequence, on views of the pool where blocks are a run.

    With `folded`, the query heads of a KV head are rows; else torch is told of the groups.
    """
    lens = running.lens.tolist()
    blocks = [where(table) for table in running.tables]
    rows = (1, KV_HEADS, GROUP, HEAD_DIM) if folded else (1, HEADS, 1, HEAD_DIM)

    def attend(layer: int) -> Tensor:
        q, pool = running.queries[layer], running.pools[layer]
        out = torch.empty_like(q)
        for row, num_tokens in enumerate(lens):
            k, v = (rows_of(x, blocks[row], num_tokens) for x in (pool.k, pool.v))
            keys, values = k.transpose(0, 1)[None], v.transpose(0, 1)[None]
            result = F.scaled_dot_product_attention(
                q[row].view(rows), keys, values, enable_gqa=not folded
            )
            out[row] = result.view(HEADS, HEAD_DIM)
        return out

    return attend


def dense_copies(running: Running) -> list[tuple[Tensor, Tensor]]:
    """Copy every sequence's KV together, by layer `[B, HK, T, D]`; lengths must be equal."""
    assert len(set(running.lens.tolist())) == 1
    num_tokens = int(running.lens[0])
    index = torch.from_numpy(running.tables).to(running.pools[0].k.device, torch.int64)

    def copy(x: Tensor) -> Tensor:
        return x[index].flatten(1, 2)[:, :num_tokens].transpose(1, 2).contiguous()

    return [(copy(pool.k), copy(pool.v)) for pool in running.pools]


def sdpa_dense(running: Running) -> Attend:
    """Run torch's attention on copies without blocks, which nobody has to follow."""
    copies = dense_copies(running)
    return lambda layer: F.scaled_dot_product_attention(
        running.queries[layer][:, :, None], *copies[layer], enable_gqa=True
    )[:, :, 0]


def flex_dense(running: Running) -> Attend:
    """Run torch's compiled FlexAttention on the same copies."""
    from torch.nn.attention.flex_attention import flex_attention

    copies, flex = dense_copies(running), torch.compile(flex_attention)

    def attend(layer: int) -> Tensor:
        out: Any = flex(running.queries[layer][:, :, None], *copies[layer], enable_gqa=True)
        result: Tensor = out[:, :, 0]
        return result

    return attend


def flashinfer_decode(running: Running) -> Attend:
    """Run FlashInfer's paged decode on our pools; its plan is outside the timing."""
    import flashinfer

    device = running.pools[0].k.device
    wrapper = flashinfer.BatchDecodeWithPagedKVCacheWrapper(
        _workspace(device), "NHD", use_tensor_cores=True
    )
    pages = _pages(running.tables, 0, int(running.lens[0]), device)
    dtype = running.queries[0].dtype
    wrapper.plan(*pages, HEADS, KV_HEADS, HEAD_DIM, BLOCK_SIZE, q_data_type=dtype)
    return _on_pools(wrapper, running)


def flashinfer_cascade(running: Running) -> Attend:
    """Run FlashInfer's cascade with the case's levels; its plan is outside the timing."""
    import flashinfer

    device, levels = running.pools[0].k.device, running.case.levels
    if len(levels) == 1:
        raise ValueError("nothing is shared")
    wrapper = flashinfer.MultiLevelCascadeAttentionWrapper(len(levels), _workspace(device), "NHD")
    for level in wrapper._batch_prefill_wrappers:  # its choice on sm_90, fa3, knows no cascade
        level._backend = "fa2"
    queries, pages, first = [], [], 0
    for count, tokens in levels:
        readers = running.case.num_requests // count
        queries.append(_int32(np.arange(0, running.case.num_requests + 1, readers), device))
        pages.append(_pages(running.tables[::readers], first, tokens, device))
        first += tokens // BLOCK_SIZE
    dtype = running.queries[0].dtype
    lists = [list(arrays) for arrays in zip(*pages, strict=True)]
    wrapper.plan(queries, *lists, HEADS, KV_HEADS, HEAD_DIM, BLOCK_SIZE, q_data_type=dtype)
    return _on_pools(wrapper, running)


def _pages(
    tables: IntArray, first: int, num_tokens: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Return FlashInfer's `indptr`, `indices` and `last_page_len` of a part of each table."""
    num_blocks = -(-num_tokens // BLOCK_SIZE)
    last = np.full(len(tables), num_tokens - (num_blocks - 1) * BLOCK_SIZE)
    indices = tables[:, first : first + num_blocks].ravel()
    indptr = starts(np.full(len(tables), num_blocks))
    return _int32(indptr, device), _int32(indices, device), _int32(last, device)


def _on_pools(wrapper: Any, running: Running) -> Attend:
    pools = [(pool.k, pool.v) for pool in running.pools]

    def attend(layer: int) -> Tensor:
        out: Tensor = wrapper.run(running.queries[layer], pools[layer])
        return out

    return attend


def _workspace(device: torch.device) -> Tensor:
    return torch.empty(256 << 20, dtype=torch.uint8, device=device)


def _int32(array: Any, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.int32)).to(device)
