"""Checks before a kernel runs: shapes, dtypes, devices, block ids and lengths must fit.

A kernel follows block ids without checking them. A wrong one must be found here, on the host.
"""

import numpy as np
import torch
from torch import Tensor

from radixlab.attention.errors import AttentionError, BackendError
from radixlab.attention.plan import DecodePlan, IntArray, PrefillPlan
from radixlab.attention.pool import KVPool, Slots


def check_tensor(name: str, x: object) -> None:
    """Raise `AttentionError` unless this is an ordinary tensor; any strides will do."""
    if not isinstance(x, Tensor):
        raise AttentionError(f"{name} must be a torch tensor, not {type(x).__name__}")
    if x.layout is not torch.strided:
        raise AttentionError(f"{name} is {x.layout}: it must be an ordinary, strided tensor")


def dense(x: Tensor) -> Tensor:
    """Return the same numbers, contiguous in memory; copy them only if they are not.

    Kernels compute addresses from shapes. Therefore neither strides nor torch's lazy negation may
    reach them. Results carry no gradient.
    """
    x = x.detach() if x.requires_grad else x
    return x.resolve_neg().contiguous()  # each returns `x` itself if nothing is to be done


def check_pool(pool: KVPool) -> None:
    """Raise `AttentionError` unless keys and values are contiguous float tensors of one kind."""
    _check_kind("pool", pool, KVPool)
    pool.once("checked", lambda: _check_tensors(pool.k, pool.v))


def _check_kind(name: str, thing: object, kind: type) -> None:
    if not isinstance(thing, kind):
        raise AttentionError(f"{name} must be a {kind.__name__}, not {type(thing).__name__}")


def _check_tensors(k: Tensor, v: Tensor) -> None:
    check_tensor("k of the pool", k)
    check_tensor("v of the pool", v)
    if k.ndim != 4 or k.shape != v.shape:
        raise AttentionError(
            f"k is {list(k.shape)}, v is {list(v.shape)}: both must be "
            f"[num_blocks, block_size, kv_heads, head_dim]"
        )
    if k.dtype != v.dtype or not k.is_floating_point():
        raise AttentionError(f"k is {k.dtype}, v is {v.dtype}: both must have the same float dtype")
    if k.device != v.device:
        raise AttentionError(f"k is on {k.device}, v on {v.device}")
    if not (k.is_contiguous() and v.is_contiguous()):
        raise AttentionError("k and v must be contiguous: kernels compute addresses from shapes")
    if k.is_neg() or v.is_neg():
        raise AttentionError("k or v is a lazily negated view: kernels would read the wrong sign")


def require_dtype(backend: str, pool: KVPool) -> None:
    """Raise `BackendError` for a dtype in which torch cannot compute attention."""
    known = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
    if pool.k.dtype not in known:
        raise BackendError(
            f"backend {backend!r} takes fp64, fp32, fp16 or bf16, not {pool.k.dtype}"
        )


def check_queries(q: Tensor, pool: KVPool) -> None:
    """Raise `AttentionError` unless `q` is `[n, H, D]` and fits the pool."""
    check_pool(pool)
    check_tensor("q", q)
    kv_heads, head_dim = pool.kv_heads, pool.head_dim
    if q.ndim != 3 or q.shape[2] != head_dim or not q.shape[1] or q.shape[1] % kv_heads:
        raise AttentionError(
            f"q is {list(q.shape)}: it must be [n, a multiple of {kv_heads}, {head_dim}]"
        )
    if q.dtype != pool.k.dtype:
        raise AttentionError(f"q is {q.dtype}, k and v are {pool.k.dtype}")
    if q.device != pool.k.device:
        raise AttentionError(f"q is on {q.device}, k and v on {pool.k.device}")


def check_plan(q: Tensor, pool: KVPool, plan: DecodePlan) -> None:
    """Raise `AttentionError` unless the plan is for these queries and this pool."""
    check_queries(q, pool)
    _check_kind("plan", plan, DecodePlan)
    if len(plan.order) != len(q):
        raise AttentionError(f"the plan is for {len(plan.order)} queries, q has {len(q)}")
    if plan.block_size != pool.block_size:
        raise AttentionError(
            f"the plan is for blocks of {plan.block_size} tokens, the pool has blocks of "
            f"{pool.block_size}"
        )
    plan.once(("checked", pool.num_blocks), lambda: _check_arrays(plan, pool))


def check_prefill(q: Tensor, pool: KVPool, plan: PrefillPlan) -> None:
    """Raise `AttentionError` unless the ragged batch is consistent and fits the pool."""
    check_queries(q, pool)
    _check_kind("plan", plan, PrefillPlan)
    sizes = len(q), pool.num_blocks, pool.block_size
    plan.once(("checked", *sizes), lambda: _check_ragged(plan, len(q), pool))


def check_new(pool: KVPool, k_new: Tensor, v_new: Tensor, slots: Slots) -> None:
    """Raise `AttentionError` unless new keys and values fit the slots and a checked pool."""
    for name, x in (("k", pool.k), ("v", pool.v)):
        if x.is_inference() and not torch.is_inference_mode_enabled():
            raise AttentionError(
                f"{name} was made in inference mode, so it can be written in inference mode only"
            )
    index = slots.index
    if index.dtype != torch.int64 or index.ndim != 1 or not index.is_contiguous():
        raise AttentionError(
            f"the slots are {index.dtype} {list(index.shape)} with strides {list(index.stride())}: "
            "use what place_slots returns"
        )
    if slots.num_slots != pool.num_blocks * pool.block_size:
        raise AttentionError(
            f"the slots were checked for a pool of {slots.num_slots} slots, "
            f"this one has {pool.num_blocks * pool.block_size}"
        )
    shape = (len(slots.index), pool.kv_heads, pool.head_dim)
    for name, new in (("k_new", k_new), ("v_new", v_new)):
        check_tensor(name, new)
        if (tuple(new.shape), new.dtype, new.device) != (shape, pool.k.dtype, pool.k.device):
            raise AttentionError(
                f"{name} is {list(new.shape)} {new.dtype} on {new.device}; the pool takes "
                f"{list(shape)} {pool.k.dtype} on {pool.k.device} for {shape[0]} slots"
            )


def _check_ragged(plan: PrefillPlan, num_queries: int, pool: KVPool) -> None:
    cu_q, block_tables, context_lens = plan.cu_q, plan.block_tables, plan.context_lens
    rows = len(context_lens)
    if cu_q.shape != (rows + 1,) or block_tables.ndim != 2 or len(block_tables) != rows:
        raise AttentionError(
            f"cu_q {list(cu_q.shape)} and block_tables {list(block_tables.shape)} "
            f"do not fit {rows} context_lens"
        )
    new = np.diff(cu_q)
    if cu_q[0] != 0 or cu_q[-1] != num_queries or (rows and new.min() < 0):
        raise AttentionError(f"cu_q must rise from 0 to {num_queries}, not {cu_q.tolist()}")
    capacity = block_tables.shape[1] * pool.block_size
    for row in np.flatnonzero((context_lens < new) | (context_lens > capacity)).tolist():
        raise AttentionError(
            f"context_lens[{row}] is {context_lens[row]}: with {new[row]} new tokens and a table "
            f"of {block_tables.shape[1]} blocks it must be {new[row]} to {capacity}"
        )
    used = np.arange(block_tables.shape[1]) < -(-context_lens[:, None] // pool.block_size)
    _check_blocks(block_tables[used], pool)


def _check_arrays(plan: DecodePlan, pool: KVPool) -> None:
    """Raise `AttentionError` unless all spans read listed blocks and every query has a span."""
    _check_blocks(plan.block_ids, pool)
    num_ranks = len(plan.order)
    if not np.array_equal(np.sort(plan.order), np.arange(num_ranks)):
        raise AttentionError(f"order must hold each of {num_ranks} rows once")
    stop_block = plan.first_block - (-plan.num_tokens // plan.block_size)
    stop_query = plan.first_query + plan.num_queries
    wrong = (
        (plan.num_tokens < 1)
        | (plan.first_block < 0)
        | (stop_block > len(plan.block_ids))
        | (plan.num_queries < 1)
        | (plan.first_query < 0)
        | (stop_query > num_ranks)
    )
    for span in np.flatnonzero(wrong).tolist():
        raise AttentionError(
            f"span {span} has {plan.num_tokens[span]} tokens from listed block "
            f"{plan.first_block[span]} of {len(plan.block_ids)}, for ranks "
            f"{plan.first_query[span]} to {stop_query[span] - 1} of {num_ranks}"
        )
    num_spans = np.bincount(plan.rank_of_part, minlength=num_ranks)
    for rank in np.flatnonzero(num_spans == 0).tolist():
        raise AttentionError(f"rank {rank} of {num_ranks} has no span: it would read nothing")


def _check_blocks(block_ids: IntArray, pool: KVPool) -> None:
    if len(block_ids) and not 0 <= block_ids.min() <= block_ids.max() < pool.num_blocks:
        wrong = block_ids[(block_ids < 0) | (block_ids >= pool.num_blocks)][0]
        raise AttentionError(f"block {wrong} is not in the pool of {pool.num_blocks}")
