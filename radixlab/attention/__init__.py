"""Paged attention over the tree: from block tables to weighted sums of values.

    tree_plan(running sequences) ─► DecodePlan ─► decode(q, pool, plan) ─► out, lse

The plan says which queries read which blocks; a backend only computes. Needs torch.
"""

from radixlab.attention.backends import BACKENDS, backend_for, decode, prefill
from radixlab.attention.errors import AttentionError, BackendError
from radixlab.attention.merge import merge_states
from radixlab.attention.plan import DecodePlan, flat_plan
from radixlab.attention.pool import KVPool, write_kv
from radixlab.attention.sharing import PlanCache, tree_plan
from radixlab.attention.store import TorchKVStore

__all__ = [
    "BACKENDS",
    "AttentionError",
    "BackendError",
    "DecodePlan",
    "KVPool",
    "PlanCache",
    "TorchKVStore",
    "backend_for",
    "decode",
    "flat_plan",
    "merge_states",
    "prefill",
    "tree_plan",
    "write_kv",
]
