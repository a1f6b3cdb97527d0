"""The Triton kernels on a GPU, at sizes that the interpreter could not do."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

if not torch.cuda.is_available():
    pytest.skip("there is no GPU here", allow_module_level=True)

from radixlab.attention import (  # noqa: E402
    KVPool,
    decode,
    flat_plan,
    prefill,
    reference,
    tree_plan,
    write_kv,
)
from tests.attention.batches import family, make  # noqa: E402

pytestmark = pytest.mark.gpu

TOLERANCE = {torch.float32: 4e-6, torch.float16: 1e-3, torch.bfloat16: 1e-2}
PROMPTS = {
    "ragged": [[*range(n)] for n in (1, 16, 17, 1500, 5000)],
    "a deep tree": family(64, 600, 300, 100, 7),
    "nothing shared": [[i] * 700 for i in range(20)],
}


def on_gpu(pool):
    return KVPool(pool.k.cuda(), pool.v.cuda())


def error(got, want):
    assert not got.isnan().any(), "an unused slot has leaked"
    return float((got.cpu().double() - want).abs().max() / want.abs().max())


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize(("group", "head_dim"), [(1, 64), (4, 128), (8, 32)])
@pytest.mark.parametrize("prompts", PROMPTS.values(), ids=PROMPTS)
def test_decode_equals_the_reference_by_either_plan(prompts, group, head_dim, dtype):
    batch = make(prompts, block_size=16, group=group, head_dim=head_dim, dtype=dtype)
    flat = flat_plan(batch.block_tables, batch.context_lens, 16)
    out, lse = reference.decode(batch.q.double(), batch.double(), flat)
    for plan in (flat, tree_plan(batch.sequences, 16, group)):
        got, got_lse = decode(batch.q.cuda(), on_gpu(batch.pool), plan)
        assert error(got, out) <= TOLERANCE[dtype]
        assert error(got_lse, lse) <= TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("group", [1, 4, 8])
def test_prefill_over_a_cached_prefix_equals_the_reference(group, dtype):
    prompts = [[*range(n)] for n in (17, 300, 900, 1200)]
    batch = make(prompts, block_size=16, group=group, head_dim=128, dtype=dtype)
    new = np.minimum(batch.context_lens, 400)
    cu_q = np.concatenate(([0], np.cumsum(new))).astype(np.int32)
    q = torch.randn(int(cu_q[-1]), *batch.q.shape[1:]).to(dtype)
    arrays = (cu_q, batch.block_tables, batch.context_lens)
    want, _ = prefill(q.double(), batch.double(), *arrays, backend="reference")
    got, _ = prefill(q.cuda(), on_gpu(batch.pool), *arrays)
    assert error(got, want) <= TOLERANCE[dtype]


def test_keys_and_values_are_written_where_the_slots_say():
    pool = KVPool(*(torch.zeros(64, 16, 3, 32, device="cuda") for _ in "kv"))
    k, v = torch.randn(2, 200, 3, 32, device="cuda").unbind()
    slots = np.random.default_rng(0).permutation(1024)[:200]
    write_kv(pool, k, v, slots)
    assert torch.equal(pool.k.flatten(0, 1)[slots], k)
    assert torch.equal(pool.v.flatten(0, 1)[slots], v)
