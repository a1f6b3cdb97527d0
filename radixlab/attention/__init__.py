"""Paged attention over the tree: from block tables to weighted sums of values.

    tree_plan(running sequences) ─► DecodePlan ─► decode(q, pool, plan) ─► out, lse

The plan says which queries read which blocks; a backend only computes. The package needs torch: if
torch is missing, the import raises `TorchMissingError`.
"""

from radixlab import openmp as openmp  # before torch
from radixlab.attention.errors import AttentionError, BackendError, TorchMissingError

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    raise TorchMissingError(
        "radixlab.attention needs torch, which is not installed: pip install 'radixlab[model]'"
    ) from error

from radixlab.attention.backends import (
    BACKENDS,
    backend_for,
    check_backend,
    decode,
    prefill,
    prefill_planned,
    write_kv,
)
from radixlab.attention.merge import merge_states
from radixlab.attention.plan import DecodePlan, PrefillPlan, flat_plan
from radixlab.attention.pool import KVPool, Slots, place_slots
from radixlab.attention.sharing import PlanCache, tree_plan
from radixlab.attention.store import TorchKVStore

__all__ = [
    "BACKENDS",
    "AttentionError",
    "BackendError",
    "DecodePlan",
    "KVPool",
    "PlanCache",
    "PrefillPlan",
    "Slots",
    "TorchKVStore",
    "TorchMissingError",
    "backend_for",
    "check_backend",
    "decode",
    "flat_plan",
    "merge_states",
    "place_slots",
    "prefill",
    "prefill_planned",
    "tree_plan",
    "write_kv",
]
