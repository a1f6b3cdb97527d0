"""The Triton kernels in Triton's interpreter, against the dense reference in fp64.

Run by test_triton.py in a process of its own, for `TRITON_INTERPRET` counts at the import of the
kernels, and a wild pointer would take the process with it.
"""

import os
from itertools import islice, product

import numpy as np
import pytest
import torch

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("test_triton.py runs these in a process of their own", allow_module_level=True)

from radixlab.attention import (  # after the skip: the kernels must be interpreted
    AttentionError,
    KVPool,
    decode,
    flat_plan,
    prefill,
    reference,
    tree_plan,
    write_kv,
)
from tests.attention.batches import family, make
from tests.attention.layouts import Case, faults

TOLERANCE = {torch.float32: 1e-6, torch.float16: 1e-3}
PROMPTS = {
    "one token": [[7]],
    "ragged": [[*range(n)] for n in (1, 5, 33, 70)],
    "a tree of three levels": family(4, 32, 20, 3),
}


def error(got, want):
    assert not got.isnan().any(), "an unused slot has leaked"
    return float((got.double() - want).abs().max() / want.abs().max())


def latin(*dimensions):
    """Every combination; `soak` all but those with one value of the last for each of the rest."""
    cases = []
    for indices in product(*map(range, map(len, dimensions))):
        values = [dimension[index] for dimension, index in zip(dimensions, indices, strict=True)]
        *others, last = indices
        is_default = last == sum(others) % len(dimensions[-1])
        cases.append(pytest.param(*values, marks=() if is_default else pytest.mark.soak))
    return cases


@pytest.mark.parametrize(
    ("prompts", "heads", "dtype"), latin([*PROMPTS], [(2, 1), (2, 4), (1, 8)], [*TOLERANCE])
)
def test_decode_equals_the_reference_by_either_plan(prompts, heads, dtype):
    prompts, (kv_heads, group) = PROMPTS[prompts], heads
    batch = make(prompts, kv_heads=kv_heads, group=group, head_dim=32, dtype=dtype)
    flat = flat_plan(batch.block_tables, batch.context_lens, batch.block_size)
    out, lse = reference.decode(batch.q.double(), batch.double(), flat)
    for plan in (flat, tree_plan(batch.sequences, batch.block_size, group).chunked(16)):
        got, got_lse = decode(batch.q, batch.pool, plan, backend="triton")
        assert error(got, out) <= TOLERANCE[dtype]
        assert error(got_lse, lse) <= TOLERANCE[dtype]


def test_a_span_with_more_rows_than_a_tile_becomes_several_work_items():
    batch = make([[*range(20), i] for i in range(10)], group=8, kv_heads=1, head_dim=32)
    plan = tree_plan(batch.sequences, batch.block_size, 8)
    assert plan.num_queries.max() * 8 == 80  # fp32's largest tile has 64 rows
    want, _ = reference.decode(batch.q.double(), batch.double(), plan)
    assert error(decode(batch.q, batch.pool, plan, backend="triton")[0], want) <= 1e-6


@pytest.mark.parametrize(
    ("num_new", "group", "dtype"),
    [
        (1, 1, torch.float16),
        (17, 3, torch.float32),
        (17, 8, torch.float16),
        *(
            pytest.param(*each, marks=pytest.mark.soak)
            for each in ((1, 1, torch.float32), (17, 3, torch.float16), (17, 8, torch.float32))
        ),
    ],
)
def test_prefill_over_a_cached_prefix_equals_the_reference(num_new, group, dtype):
    batch = make(
        [[*range(n)] for n in (17, 51, 30)], group=group, kv_heads=1, head_dim=32, dtype=dtype
    )
    new = np.minimum(batch.context_lens, num_new)
    cu_q = np.concatenate(([0], np.cumsum(new))).astype(np.int32)
    q = torch.randn(int(cu_q[-1]), *batch.q.shape[1:], generator=torch.Generator().manual_seed(1))
    q = q.to(dtype)
    arrays = (cu_q, batch.block_tables, batch.context_lens)
    want, want_lse = prefill(q.double(), batch.double(), *arrays, backend="reference")
    got, got_lse = prefill(q, batch.pool, *arrays, backend="triton")
    assert error(got, want) <= TOLERANCE[dtype]
    assert error(got_lse, want_lse) <= TOLERANCE[dtype]


def test_keys_and_values_are_written_where_the_slots_say():
    pools = [KVPool(torch.zeros(4, 4, 3, 32), torch.zeros(4, 4, 3, 32)) for _ in range(2)]
    k, v = torch.randn(2, 5, 3, 32).unbind()
    slots = np.array([15, 0, 7, 3, 8])
    write_kv(pools[0], k, v, slots, backend="triton")
    write_kv(pools[1], k, v, slots, backend="cpu")
    assert torch.equal(pools[0].k, pools[1].k)
    assert torch.equal(pools[0].v, pools[1].v)
    assert int(pools[0].k.any(-1).any(-1).sum()) == 5


@pytest.mark.parametrize(
    ("head_dim", "dtype", "says"),
    [
        (24, torch.float32, "head_dim .* not torch.float32 and 24"),
        (32, torch.float64, "not torch.float64 and 32"),
        (32, torch.bfloat16, "interpreter computes bf16 wrongly"),
    ],
)
def test_what_the_kernels_cannot_do_is_refused(head_dim, dtype, says):
    batch = make([[1, 2, 3]], head_dim=head_dim, dtype=dtype)
    with pytest.raises(AttentionError, match=says):
        decode(batch.q, batch.pool, tree_plan(batch.sequences, 4), backend="triton")


def test_an_empty_batch_gives_empty_results():
    batch = make([[1, 2, 3]], head_dim=32)
    out, lse = decode(batch.q[:0], batch.pool, tree_plan([], 4), backend="triton")
    assert (out.shape, lse.shape) == ((0, 4, 32), (0, 4))
    empty = np.zeros((0, 2), np.int32)
    assert prefill(batch.q[:0], batch.pool, [0], empty, [], backend="triton")[0].shape == out.shape


def test_layouts_of_arguments_are_right_or_refused():
    variants = Case(head_dim=32, kv_heads=1).variants("triton")
    assert faults(islice(variants, None, None, 5)) == {}  # test_layouts.py tries all on the CPU


@pytest.mark.soak
def test_every_layout_of_every_argument_is_right_or_refused():
    assert faults(Case(head_dim=32, kv_heads=1).variants("triton")) == {}
