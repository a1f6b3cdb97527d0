"""Who computes: the same three calls, by the backend that fits the tensors.

`decode`, `prefill` and `write_kv` check everything on the host first, then hand over. Which backend
runs is decided by where the pool is, unless the caller names one.
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


class Backend(Protocol):
    """What a backend computes; all arguments have been checked, and are dense."""

    def require(self, pool: KVPool, group_size: int) -> None:
        """Raise `BackendError` if it cannot serve such a pool; `group_size` is H / kv_heads."""

    def decode(self, q: Tensor, pool: KVPool, plan: DecodePlan) -> tuple[Tensor, Tensor]:
        """Attend one query per sequence: `q` `[B, H, D]` → as `q`, and `lse` `[B, H]`."""

    def prefill(self, q: Tensor, pool: KVPool, plan: PrefillPlan) -> tuple[Tensor, Tensor]:
        """Attend the new tokens of a ragged batch: `[T, H, D]` → as `q`, and `[T, H]`."""

    def write_kv(self, pool: KVPool, k_new: Tensor, v_new: Tensor, slots: Tensor) -> None:
        """Store new keys and values `[T, kv_heads, head_dim]` at `slots` `[T]`, int64."""


BACKENDS = ("reference", "cpu", "triton")
"""Backends by name: modules with the functions of `Backend`."""


def backend_for(pool: KVPool, name: str | None = None, group_size: int = 1) -> Backend:
    """Return the named backend, else the fastest one that can read this pool.

    Raises `BackendError` if there is none of this name, or the machine lacks what it needs, or it
    cannot compute with such a pool and `group_size` query heads to a KV head.
    """
    chosen = name if name is not None else "triton" if pool.k.is_cuda else "cpu"
    if chosen not in BACKENDS:
        raise BackendError(f"no backend {chosen!r}; there are {', '.join(BACKENDS)}")
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
    except Exception as error:  # whatever a broken installation raises
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

    `q` `[B, H, D]` in the caller's order, in any layout; returns dense `out` `[B, H, D]` and `lse`
    `[B, H]`, natural logarithm, fp32 (fp64 for fp64). Raises `AttentionError` before any kernel
    runs.
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
    """Attend the new tokens of each sequence over its cached prefix and themselves.

    `q` `[T, H, D]`; row i's new tokens are `[cu_q[i], cu_q[i + 1])`, its context (cached and new)
    `context_lens[i]` tokens in the blocks of `block_tables[i]`; the new tokens' keys are in the
    pool already. Returns as `decode`.
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
    """Do what `prefill` does; the plan is checked and prepared once for all layers of a step."""
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
    """Store new keys and values `[T, kv_heads, head_dim]`, in any layout, at `slots` `[T]`.

    `place_slots` checks them once for all layers; anything else is placed here.
    """
    check_pool(pool)
    placed = slots if isinstance(slots, Slots) else place_slots(pool, slots)
    check_new(pool, k_new, v_new, placed)
    runs = backend_for(pool, backend)
    runs.write_kv(pool.detached(), dense(k_new), dense(v_new), placed.index)
