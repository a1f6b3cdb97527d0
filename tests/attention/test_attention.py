"""Every backend against the dense reference in fp64."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from radixlab.attention import (  # noqa: E402
    KVPool,
    cpu,
    decode,
    flat_plan,
    merge_states,
    prefill,
    reference,
    tree_plan,
    write_kv,
)
from tests.attention.batches import family, make  # noqa: E402

TOLERANCE = {torch.float32: 1e-6, torch.bfloat16: 1e-2, torch.float16: 1e-3}
RAGGED = [[*range(n)] for n in (1, 4, 5, 33, 34, 90)]
PROMPTS = {
    "one token": [[7]],
    "ragged": RAGGED,
    "shared": family(6, 40, 8),
    "a deep tree": family(8, 24, 24, 24, 3),
    "nothing shared": [[i] * 21 for i in range(5)],
}


def error(got, want):
    """The largest difference, relative to the largest value."""
    assert not got.isnan().any(), "an unused slot has leaked"
    return float((got.double() - want).abs().max() / want.abs().max())


def truth(batch):
    plan = flat_plan(batch.block_tables, batch.context_lens, batch.block_size)
    return reference.decode(batch.q.double(), batch.double(), plan)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("group", [1, 4, 8])
@pytest.mark.parametrize("prompts", PROMPTS.values(), ids=PROMPTS)
def test_decode_equals_the_reference_by_either_plan(prompts, group, dtype):
    batch = make(prompts, group=group, dtype=dtype)
    out, lse = truth(batch)
    for plan in (
        flat_plan(batch.block_tables, batch.context_lens, batch.block_size),
        tree_plan(batch.sequences, batch.block_size, group),
        tree_plan(batch.sequences, batch.block_size, group).chunked(8),
    ):
        got, got_lse = decode(batch.q, batch.pool, plan, backend="cpu")
        assert error(got, out) <= TOLERANCE[dtype]
        assert error(got_lse, lse) <= TOLERANCE[dtype]


def test_results_do_not_depend_on_which_blocks_are_used():
    outs = [
        decode(batch.q, batch.pool, tree_plan(batch.sequences, batch.block_size, 2))[0]
        for batch in (make_same(seed) for seed in (1, 2, 3))
    ]
    assert torch.allclose(outs[0], outs[1], atol=1e-6)
    assert torch.allclose(outs[0], outs[2], atol=1e-6)


def make_same(shuffle):
    """The same KV by position, in other blocks."""
    batch = make(family(6, 40, 8), seed=shuffle)
    generator = torch.Generator().manual_seed(0)
    batch.q.copy_(torch.randn(batch.q.shape, generator=generator))
    for x in (batch.pool.k, batch.pool.v):
        done = {}
        for s in batch.sequences:
            for position, slot in enumerate(s.slots(0, s.num_tokens, batch.block_size).tolist()):
                key = tuple(s.token_ids[: position + 1].tolist())
                if key not in done:
                    done[key] = torch.randn(x.shape[2:], generator=generator)
                x.flatten(0, 1)[slot] = done[key]
    return batch


@pytest.mark.parametrize("group", [1, 4])
@pytest.mark.parametrize("num_new", [1, 3, 17])
def test_prefill_over_a_cached_prefix_equals_the_whole_prefill(group, num_new):
    batch = make([[*range(n)] for n in (17, 20, 61, 40)], group=group)
    new = np.minimum(batch.context_lens, num_new)
    cu_q = np.concatenate(([0], np.cumsum(new))).astype(np.int32)
    q = torch.randn(int(cu_q[-1]), batch.q.shape[1], batch.q.shape[2])
    arrays = (cu_q, batch.block_tables, batch.context_lens)
    want, want_lse = prefill(q.double(), batch.double(), *arrays, backend="reference")
    got, got_lse = prefill(q, batch.pool, *arrays, backend="cpu")
    assert error(got, want) <= 1e-6
    assert error(got_lse, want_lse) <= 1e-6


def test_queries_need_not_be_contiguous():
    batch = make(RAGGED[:3], kv_heads=2, group=2)
    spread_out = batch.q.transpose(0, 1).contiguous().transpose(0, 1)
    plan, arrays = tree_plan(batch.sequences, 4), (batch.block_tables, batch.context_lens)
    assert torch.equal(*(decode(q, batch.pool, plan)[0] for q in (batch.q, spread_out)))
    new = np.arange(4)
    assert torch.equal(*(prefill(q, batch.pool, new, *arrays)[0] for q in (batch.q, spread_out)))


@pytest.mark.parametrize("causal", [False, True])
def test_the_private_kernel_of_torch_does_what_plain_products_do(causal):
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, n, 16) for n in (9, 9, 9))
    assert cpu.FLASH is not None
    for got, want in zip(cpu.flash(q, k, v, causal), cpu.products(q, k, v, causal), strict=True):
        assert torch.allclose(got, want, atol=1e-6)


def test_without_the_private_kernel_nothing_else_changes(monkeypatch):
    monkeypatch.setattr(cpu, "FLASH", None)
    batch = make(PROMPTS["a deep tree"], group=4)
    out, lse = truth(batch)
    got, got_lse = decode(batch.q, batch.pool, tree_plan(batch.sequences, 4, 4))
    assert error(got, out) <= 1e-6 and error(got_lse, lse) <= 1e-6


@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_fp64_is_computed_in_fp64(backend):
    batch = make(PROMPTS["a deep tree"], group=2, dtype=torch.float64)
    for plan in (
        flat_plan(batch.block_tables, batch.context_lens, 4),
        tree_plan(batch.sequences, 4, 2),
    ):
        got, want = decode(batch.q, batch.pool, plan, backend), truth(batch)
        assert got[0].dtype == got[1].dtype == torch.float64
        assert all(error(*pair) <= 1e-14 for pair in zip(got, want, strict=True))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_the_reference_computes_half_precision_in_fp32(dtype):
    batch = make(RAGGED, dtype=dtype)
    plan = flat_plan(batch.block_tables, batch.context_lens, 4)
    (out, lse), (want, want_lse) = reference.decode(batch.q, batch.pool, plan), truth(batch)
    assert torch.equal(out, want.to(dtype)) or error(out, want) <= torch.finfo(dtype).eps / 2
    assert lse.dtype == torch.float32 and error(lse, want_lse) <= 1e-6


# ---- merging


def partial(seed, n=3):
    torch.manual_seed(seed)
    return torch.randn(2, n, 4, dtype=torch.float64), torch.randn(2, n, dtype=torch.float64) * 30


def close(a, b):
    return all(torch.allclose(x, y, rtol=1e-12, atol=1e-12) for x, y in zip(a, b, strict=True))


@given(st.integers(0, 1000))
def test_merging_is_associative_and_commutative(seed):
    a, b, c = (partial(3 * seed + i) for i in range(3))
    assert close(merge_states(*merge_states(*a, *b), *c), merge_states(*a, *merge_states(*b, *c)))
    assert close(merge_states(*a, *b), merge_states(*b, *a))


def test_nothing_is_the_identity_of_merging_also_with_itself():
    a = partial(0)
    nothing = (torch.zeros_like(a[0]), torch.full_like(a[1], -torch.inf))
    assert close(merge_states(*a, *nothing), a)
    assert close(merge_states(*nothing, *nothing), nothing)


# ---- writing


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_keys_and_values_are_written_where_the_slots_say(backend):
    pool = KVPool(torch.zeros(2, 4, 1, 2), torch.zeros(2, 4, 1, 2))
    new = torch.arange(4.0).view(2, 1, 2)
    write_kv(pool, new, -new, [5, 0], backend)
    assert pool.k[1, 1, 0].tolist() == [0, 1]
    assert pool.v[0, 0, 0].tolist() == [-2, -3]
    assert int(pool.k.count_nonzero()) == int(pool.v.count_nonzero()) == 3
