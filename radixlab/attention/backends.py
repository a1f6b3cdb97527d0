"""Who computes: the same three calls, by the backend that fits the tensors.

`decode`, `prefill` and `write_kv` check everything on the host first, then hand over. Which backend
runs is decided by where the pool is, unless the caller names one.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

import numpy.typing as npt
from torch import Tensor

from radixlab.attention.checks import check_new, check_plan, check_prefill
from radixlab.attention.errors import BackendError
from radixlab.attention.plan import DecodePlan, PrefillPlan, as_ints
from radixlab.attention.pool import KVPool, Slots, place_slots


class Backend(Protocol):
    """What a backend computes; all arguments have been checked."""

    def decode(self, q: Tensor, pool: KVPool, plan: DecodePlan) -> tuple[Tensor, Tensor]:
        """Attend one query per sequence: `q` `[B, H, D]` → as `q`, and `lse` `[B, H]`, fp32."""

    def prefill(self, q: Tensor, pool: KVPool, plan: PrefillPlan) -> tuple[Tensor, Tensor]:
        """Attend the new tokens of a ragged batch: `[T, H, D]` → as `q`, and `[T, H]`."""

    def write_kv(self, pool: KVPool, k_new: Tensor, v_new: Tensor, slots: Tensor) -> None:
        """Store new keys and values `[T, kv_heads, head_dim]` at `slots` `[T]`, int64."""


BACKENDS = ("reference", "cpu", "triton")
"""Backends by name: modules with the functions of `Backend`."""


def backend_for(pool: KVPool, name: str | None = None) -> Backend:
    """Return the named backend, else the fastest one that can read this pool.

    Raises `BackendError` if there is none of this name, or what it needs is not installed.
    """
    chosen = name or ("triton" if pool.k.is_cuda else "cpu")
    if chosen not in BACKENDS:
        raise BackendError(f"no backend {chosen!r}; there are {', '.join(BACKENDS)}")
    if chosen == "cpu" and pool.k.device.type != "cpu":
        raise BackendError(f"backend 'cpu' cannot read a pool on {pool.k.device}")
    if chosen == "triton" and find_spec("triton") is None:
        raise BackendError("backend 'triton' needs triton, which is not installed")
    return cast(Backend, import_module(f"radixlab.attention.{chosen}"))


def decode(
    q: Tensor, pool: KVPool, plan: DecodePlan, backend: str | None = None
) -> tuple[Tensor, Tensor]:
    """Attend one query per sequence, as planned.

    `q` `[B, H, D]` in the caller's order; returns `out` `[B, H, D]` and `lse` `[B, H]`, fp32,
    natural logarithm. Raises `AttentionError` before any kernel runs.
    """
    check_plan(q, pool, plan)
    return backend_for(pool, backend).decode(q, pool, plan)


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
        as_ints("cu_q", cu_q),
        as_ints("block_tables", block_tables),
        as_ints("context_lens", context_lens),
    )
    return prefill_planned(q, pool, plan, backend)


def prefill_planned(
    q: Tensor, pool: KVPool, plan: PrefillPlan, backend: str | None = None
) -> tuple[Tensor, Tensor]:
    """Do what `prefill` does; the plan is checked and prepared once for all layers of a step."""
    check_prefill(q, pool, plan)
    return backend_for(pool, backend).prefill(q, pool, plan)


def write_kv(
    pool: KVPool,
    k_new: Tensor,
    v_new: Tensor,
    slots: Slots | npt.ArrayLike,
    backend: str | None = None,
) -> None:
    """Store new keys and values `[T, kv_heads, head_dim]` at `slots` `[T]`.

    `place_slots` checks them once for all layers; anything else is placed here.
    """
    placed = slots if isinstance(slots, Slots) else place_slots(pool, slots)
    check_new(pool, k_new, v_new, placed)
    backend_for(pool, backend).write_kv(pool, k_new, v_new, placed.index)
