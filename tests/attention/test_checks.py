"""What does not fit is refused on the host, by a typed error, before anything runs."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from radixlab.attention import (  # noqa: E402
    AttentionError,
    BackendError,
    KVPool,
    PrefillPlan,
    decode,
    flat_plan,
    place_slots,
    prefill,
    prefill_planned,
    tree_plan,
    write_kv,
)
from tests.attention.batches import make  # noqa: E402


def refused(match):
    return pytest.raises(AttentionError, match=match)


@pytest.mark.parametrize(
    ("q", "says"),
    [
        (torch.zeros(2, 4, 16), "2 queries|the plan is for 1"),
        (torch.zeros(1, 3, 16), "a multiple of 2"),
        (torch.zeros(1, 4, 8), r"\[1, 4, 8\]"),
        (torch.zeros(4, 16), r"q is \[4, 16\]"),
        (torch.zeros(1, 4, 16, dtype=torch.float64), "q is torch.float64"),
        (torch.zeros(1, 4, 16, device="meta"), "q is on meta"),
    ],
)
def test_queries_that_do_not_fit_are_refused(q, says):
    batch = make([[1, 2, 3]])
    with refused(says):
        decode(q, batch.pool, tree_plan(batch.sequences, 4))


def test_a_block_outside_the_pool_is_refused():
    batch = make([[1, 2, 3]])
    for wrong in (-1, batch.pool.num_blocks):
        with refused(f"block {wrong} is not in the pool of {batch.pool.num_blocks}"):
            decode(batch.q, batch.pool, flat_plan(np.array([[wrong]]), np.array([3]), 4))


def test_a_plan_for_another_block_size_is_refused():
    batch = make([[1, 2, 3]])
    with refused("blocks of 8 tokens, the pool has blocks of 4"):
        decode(batch.q, batch.pool, flat_plan(np.array([[0]]), np.array([3]), 8))


def test_an_unknown_backend_is_refused():
    batch = make([[1, 2, 3]])
    with refused("backend 'gpu' is not one of reference, cpu, triton"):
        decode(batch.q, batch.pool, tree_plan(batch.sequences, 4), backend="gpu")


@pytest.mark.parametrize(
    ("cu_q", "lens", "says"),
    [
        ([0, 2], [9], "context_lens.0. is 9: with 2 new tokens and a table of 2 blocks"),
        ([0, 2], [1], "it must be 2 to 8"),
        ([0, 3], [3], "rise from 0 to 2"),
        ([0, 1, 2], [3], "do not fit 1 context_lens"),
    ],
)
def test_a_ragged_batch_that_does_not_fit_is_refused(cu_q, lens, says):
    batch = make([[1, 2, 3]])
    with refused(says):
        prefill(torch.zeros(2, 4, 16), batch.pool, cu_q, np.zeros((1, 2), np.int32), lens)


def zeros(*shape, **how):
    return torch.zeros(shape, **how)


@pytest.mark.parametrize(
    ("k", "v", "says"),
    [
        (zeros(4, 4, 2, 16), zeros(5, 4, 2, 16), r"k is \[4, 4, 2, 16\], v is \[5"),
        (zeros(4, 2, 16), zeros(4, 2, 16), "num_blocks, block_size, kv_heads, head_dim"),
        (zeros(4, 4, 2, 16), zeros(4, 4, 2, 16).half(), "k is torch.float32, v is torch.float16"),
        (zeros(4, 4, 2, 16).int(), zeros(4, 4, 2, 16).int(), "must have the same float dtype"),
        (zeros(4, 4, 2, 16), zeros(4, 4, 2, 16, device="meta"), "k is on cpu, v on meta"),
        (zeros(4, 2, 4, 16).transpose(1, 2), zeros(4, 4, 2, 16), "must be contiguous"),
    ],
)
def test_pools_that_do_not_fit_are_refused(k, v, says):
    batch = make([[1, 2, 3]])
    with refused(says):
        decode(batch.q, KVPool(k, v), tree_plan(batch.sequences, 4))
    with refused(says):
        write_kv(KVPool(k, v), batch.q[:, :2], batch.q[:, :2], [0])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"num_tokens": [9]}, "span 0 has 9 tokens from listed block 0 of 2"),
        ({"num_tokens": [0]}, "span 0 has 0 tokens"),
        ({"first_block": [1]}, "from listed block 1 of 2"),
        ({"first_block": [-1]}, "from listed block -1 of 2"),
        ({"first_query": [1]}, "for ranks 1 to 1 of 1"),
        ({"num_queries": [2]}, "for ranks 0 to 1 of 1"),
        ({"num_queries": [0]}, "for ranks 0 to -1 of 1"),
        ({"order": [1]}, "order must hold each of 1 rows once"),
        (
            {key: [] for key in ("num_tokens", "first_block", "first_query", "num_queries")},
            "rank 0 of 1 has no span",
        ),
    ],
)
def test_a_plan_that_is_not_consistent_is_refused(changes, says):
    batch = make([[1, 2, 3, 4, 5]])
    arrays = {name: np.array(value, np.int32) for name, value in changes.items()}
    with refused(says):
        decode(batch.q, batch.pool, dataclasses.replace(tree_plan(batch.sequences, 4), **arrays))


def test_a_plan_is_checked_once_for_all_layers_but_again_for_a_smaller_pool():
    batch = make([[1, 2, 3, 4, 5]])
    plan = tree_plan(batch.sequences, 4)
    decode(batch.q, batch.pool, plan)
    small = KVPool(batch.pool.k[:1], batch.pool.v[:1])
    with refused("is not in the pool of 1"):
        decode(batch.q, small, plan)


def test_a_table_entry_outside_the_pool_is_refused_in_prefill():
    batch = make([[1, 2, 3]])
    for wrong in (-1, 4):
        with refused(f"block {wrong} is not in the pool of 4"):
            prefill(batch.q, batch.pool, [0, 1], [[0, wrong]], [5])


@pytest.mark.parametrize("slot", [-1, 8])
def test_a_slot_outside_the_pool_is_refused_and_nothing_is_written(slot):
    pool, new = KVPool(zeros(2, 4, 1, 2), zeros(2, 4, 1, 2)), torch.ones(2, 1, 2)
    with refused(f"slot {slot}: the pool has 0 to 7"):
        write_kv(pool, new, new, [0, slot])
    assert not pool.k.any() and not pool.v.any()


@pytest.mark.parametrize(
    ("new", "slots", "says"),
    [
        (zeros(1, 1, 2), [0, 1], r"k_new is \[1, 1, 2\] .* takes \[2, 1, 2\]"),
        (zeros(2, 1, 2).half(), [0, 1], "k_new is .* torch.float16 .* takes .* torch.float32"),
        (zeros(2, 1, 2, device="meta"), [0, 1], "on meta; the pool takes .* on cpu"),
        (zeros(2, 1, 2), [0.5, 1], "slots are float64"),
        (zeros(2, 1, 2), [[0, 1]], r"slots are int64 \[1, 2\]"),
    ],
)
def test_new_keys_that_do_not_fit_are_refused(new, slots, says):
    pool = KVPool(zeros(2, 4, 1, 2), zeros(2, 4, 1, 2))
    with refused(says):
        write_kv(pool, new, new, slots)


def test_slots_checked_for_another_pool_are_refused():
    pools = [KVPool(zeros(n, 4, 1, 2), zeros(n, 4, 1, 2)) for n in (2, 3)]
    slots = place_slots(pools[1], [11])
    with refused("checked for a pool of 12 slots, this one has 8"):
        write_kv(pools[0], torch.ones(1, 1, 2), torch.ones(1, 1, 2), slots)


def test_the_triton_backend_says_what_it_needs():
    batch = make([[1, 2, 3]], head_dim=32)
    with pytest.raises(BackendError, match=r"needs a GPU; the pool is on cpu|not installed"):
        decode(batch.q, batch.pool, tree_plan(batch.sequences, 4), backend="triton")


@pytest.mark.parametrize(
    ("tables", "lens", "says"),
    [
        ([[2**32]], [3], "block_tables: 4294967296 does not fit int32"),
        ([[0.5]], [3], "block_tables must be ints, not float64"),
        ([[0]], [3.0], "context_lens must be ints, not float64"),
        (np.array([[2**33]]), [3], "does not fit int32"),
        ([0], [3], r"block_tables is \[1\]: it must have 2 dimensions"),
    ],
)
def test_tables_and_lengths_must_be_ints_that_fit(tables, lens, says):
    batch = make([[1, 2, 3]])
    with refused(says):
        flat_plan(tables, lens, 4)
    with refused(says):
        prefill(batch.q, batch.pool, [0, 1], tables, lens)


def test_the_cpu_backend_reads_only_pools_on_the_cpu():
    batch, pool = make([[1, 2, 3]]), KVPool(*(zeros(4, 4, 2, 16, device="meta") for _ in "kv"))
    with pytest.raises(BackendError, match="cannot read a pool on meta"):
        decode(batch.q.to("meta"), pool, tree_plan(batch.sequences, 4))


def test_a_plan_or_a_pool_of_another_kind_is_refused():
    batch = make([[1, 2, 3]])
    with refused("plan must be a DecodePlan, not PrefillPlan"):
        decode(batch.q, batch.pool, PrefillPlan([0, 1], [[0]], [3]))
    with refused("plan must be a PrefillPlan, not DecodePlan"):
        prefill_planned(batch.q, batch.pool, tree_plan(batch.sequences, 4))
    with refused("pool must be a KVPool, not Tensor"):
        decode(batch.q, batch.pool.k, tree_plan(batch.sequences, 4))
