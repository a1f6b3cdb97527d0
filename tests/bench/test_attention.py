"""The attention benchmark as a program: it computes what it says. No time is judged."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from contextlib import contextmanager  # noqa: E402

from radixlab.attention import BackendError  # noqa: E402
from radixlab.bench.attention import Case, measure_attention  # noqa: E402
from radixlab.bench.attention_cases import run_case  # noqa: E402
from radixlab.bench.attention_peers import OURS, contenders, dense_copies  # noqa: E402


@contextmanager
def silent(total, what, unit):
    yield lambda: None


@pytest.fixture(scope="module")
def report():
    return measure_attention("radixlab bench attention --quick", 1, True, silent)


def test_every_contender_is_right_and_has_a_row(report):
    rows = [row for row in report.rows if str(row[0]).startswith("decode")]
    assert len(rows) == 2 * 2 * len(contenders("cpu"))
    assert all(row[-1].value < (2e-6 if "float32" in row[0] else 2e-2) for row in rows)


def test_ours_is_one_of_ours(report):
    ours = [row[4] for row in report.rows if row[1] == OURS and str(row[0]).startswith("decode")]
    assert {(ratio.low, ratio.high) for ratio in ours} == {(1.0, 1.0)}


def test_plans_and_prefill_are_measured_and_the_roofs_are_told(report):
    assert [row[1] for row in report.rows if "plan, 64" in row[0]] == ["rebuilt", "kept"]
    assert any(str(row[0]).startswith("prefill 32 on 256") for row in report.rows)
    assert "GB/s moved" in report.what and "Not run" not in report.what


def test_a_case_shares_what_it_says():
    running = run_case(Case(((1, 64), (2, 32), (6, 20))), torch.float32, "cpu", 1)
    assert running.tree.kv_tokens_read == running.case.unique_tokens == 64 + 2 * 32 + 6 * 20
    assert running.flat.kv_tokens_read == 6 * (64 + 32 + 20)
    assert running.floor_bytes == 248 * 8 * 128 * 2 * 4


def test_an_error_is_seen():
    running = run_case(Case(((3, 40),)), torch.float32, "cpu", 1)
    out = contenders("cpu")[OURS](running)(0)
    assert running.error(out, 0) < 2e-6
    out[2, 5, 7] += 1
    assert running.error(out, 0) > 0.1


def test_dense_copies_are_the_sequences_keys_in_order():
    running = run_case(Case(((1, 32), (2, 20))), torch.float32, "cpu", 1)
    (k, _), pool = dense_copies(running)[0], running.pools[0]
    slots = running.sequences[1].slots(0, 52, 16).astype(np.int64)
    assert torch.equal(k[1].transpose(0, 1), pool.k.flatten(0, 1)[slots])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_one_typed_error():
    with pytest.raises(BackendError, match="torch finds no GPU"):
        measure_attention("", 1, True, silent, "cuda")
