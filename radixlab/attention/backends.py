"""The three calls of attention, computed by the backend that fits the tensors.

`decode`, `prefill` and `write_kv` check everything on the host, then call a backend. The device of
the pool decides which backend runs, unless the caller names one.
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

import numpy.typing as npt
from torch import Tensor

from radixlab.attention.checks import check_new, check_plan, check_pool, check_prefill, dense
from radixlab.attention.errors import BackendError
from radixlab.attention.plan import DecodePlan, PrefillPlan, as_ints
from radixlab.attention.pool import KVPool, Slots, place_slots
from radixlab.choices import not_one_of


class Backend(Protocol):
    """What a backend computes. All arguments are checked and contiguous."""

    def require(self, pool: KVPool, group_size: int) -> None:
        """Raise `BackendError` if it cannot serve this pool; `group_size` is H / kv_heads."""

    def decode(self, q: Tensor, pool: KVPool, plan: DecodePlan) -> tuple[Tensor, Tensor]:
        """Attend one query per sequence: `q` `[B, H, D]` → `out` like `q`, and `lse` `[B, H]`."""

    def prefill(self, q: Tensor, pool: KVPool, plan: PrefillPlan) -> tuple[Tensor, Tensor]:
        """Attend the new tokens of a ragged batch: `q` `[T, H, D]` → like `q`, and `[T, H]`."""

    def write_kv(self, pool: KVPool, k_new: Tensor, v_new: Tensor, slots: Tensor) -> None:
        """Store new keys and values `[T, kv_heads, head_dim]` at `slots` `[T]`, int64."""


BACKENDS = ("reference", "cpu", "triton")
"""Backends by name: modules with the functions of `Backend`."""


def backend_for(pool: KVPool, name: str | None = None, group_size: int = 1) -> Backend:
    """Return the named backend, else the fastest one that can read this pool.

    Raises `BackendError` for an unknown name, or if the machine lacks what the backend needs, or if
    the backend cannot serve this pool with `group_size` query heads per KV head.
    """
    chosen = name if name is not None else "triton" if pool.k.is_cuda else "cpu"
    if chosen not in BACKENDS:
        raise BackendError(f"backend {not_one_of(chosen, BACKENDS)}")
    return pool.once(("backend", chosen, group_size), lambda: _find(pool, chosen, group_size))


def _find(pool: KVPool, name: str, group_size: int) -> Backend:
    backend = _load(name)
    backend.require(pool, group_size)
    return backend


@cache
def _load(name: str) -> Backend:
    if name == "triton" and find_spec("triton") is None:
        raise BackendError(
            "backend 'triton' needs triton, which is not installed: pip install 'radixlab[triton]'"
        )
    try:
        return cast(Backend, import_module(f"radixlab.attention.{name}"))
    except Exception as error:  # a broken installation may raise anything
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise BackendError(f"backend {name!r} cannot be imported: {reason[0]}") from None


def check_backend(pool: KVPool, group_size: int, name: str | None = None) -> None:
    """Raise `BackendError` now, not in the first step, if the backend cannot serve this pool."""
    check_pool(pool)
    backend_for(pool, name, group_size)


def decode(
    q: Tensor, pool: KVPool, plan: DecodePlan, backend: str | None = None
) -> tuple[Tensor, Tensor]:
    """Attend one query per sequence, as planned.

    `q` is `[B, H, D]` in the caller's order, with any strides. Returns contiguous `out` `[B, H, D]`
    and `lse` `[B, H]`, a natural logarithm in fp32 (in fp64 for fp64). Raises `AttentionError`
    before any kernel runs.
    """
    check_plan(q, pool, plan)
    runs = backend_for(pool, backend, q.shape[1] // pool.kv_heads)
    return runs.decode(dense(q), pool.detached(), plan)


def prefill(
    q: Tensor,
    pool: KVPool,
    cu_q: npt.ArrayLike,
    block_tables: npt.ArrayLike,
    context_lens: npt.ArrayLike,
    backend: str | None = None,
) -> tuple[Tensor, Tensor]:
    """Attend the new tokens of each sequence over its cached prefix and over themselves.

    `q` is `[T, H, D]`; the new tokens of sequence i are its rows `[cu_q[i], cu_q[i + 1])`. The
    context of sequence i, cached and new, has `context_lens[i]` tokens in the blocks of
    `block_tables[i]`. The keys and values of the new tokens must be in the pool already. Returns
    what `decode` returns.
    """
    plan = PrefillPlan(
        as_ints("cu_q", cu_q, 1),
        as_ints("block_tables", block_tables, 2),
        as_ints("context_lens", context_lens, 1),
    )
    return prefill_planned(q, pool, plan, backend)


def prefill_planned(
    q: Tensor, pool: KVPool, plan: PrefillPlan, backend: str | None = None
) -> tuple[Tensor, Tensor]:
    """Do the same as `prefill`; the plan is checked and prepared once for all layers of a step."""
    check_prefill(q, pool, plan)
    runs = backend_for(pool, backend, q.shape[1] // pool.kv_heads)
    return runs.prefill(dense(q), pool.detached(), plan)


def write_kv(
    pool: KVPool,
    k_new: Tensor,
    v_new: Tensor,
    slots: Slots | npt.ArrayLike,
    backend: str | None = None,
) -> None:
    """Store new keys and values `[T, kv_heads, head_dim]`, with any strides, at `slots` `[T]`.

    `place_slots` checks the slots once for all layers; anything else is checked here.
    """
    check_pool(pool)
    placed = slots if isinstance(slots, Slots) else place_slots(pool, slots)
    check_new(pool, k_new, v_new, placed)
    runs = backend_for(pool, backend)
    runs.write_kv(pool.detached(), dense(k_new), dense(v_new), placed.index)
