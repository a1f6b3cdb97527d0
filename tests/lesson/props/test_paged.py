"""Lesson 06: pictures count what the plans say; what a kernel does is fresh, or said to be old."""

import importlib.util
import json

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from radixlab.attention import decode, prefill, tree_plan  # noqa: E402
from radixlab.bench.attention_clocks import Roofs  # noqa: E402
from radixlab.lesson.props.paged import (  # noqa: E402
    Attained,
    ToyLayer,
    five_requests,
    plot_plan,
    plot_prefill,
    plot_roofline,
    run_kernel,
    used_pool,
)
from radixlab.lesson.props.paged.kernels import RECORDED  # noqa: E402
from radixlab.lesson.props.paged.roofline import ridge  # noqa: E402
from radixlab.lesson.props.paged.spoiled import plot_spoiled  # noqa: E402
from radixlab.lesson.tokens import encode  # noqa: E402

NEEDS_TRITON = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="triton is not installed"
)


@pytest.fixture(scope="module")
def five():
    return five_requests(ToyLayer(), *used_pool(num_blocks=64))


def test_the_toy_gives_a_token_the_same_key_whoever_computes_it():
    tokens, layer = encode("The cat sat"), ToyLayer()
    whole, part = layer.project(tokens), layer.project(tokens[4:], start=4)
    assert all(torch.allclose(a[4:], b, atol=1e-6) for a, b in zip(whole, part, strict=True))


def test_five_requests_share_by_two_levels(five):
    tree = tree_plan(five.sequences, 4, 2)
    assert tree.num_queries.tolist() == [5, 2, 1, 1, 2, 1, 1, 1]
    assert tree.kv_tokens_read < five.flat_plan().kv_tokens_read


def test_both_plans_decode_to_what_a_prefill_gives(five):
    for row, sequence in enumerate(five.sequences):
        q = five.q[row : row + 1]
        want, _ = prefill(q, five.pool, [0, 1], [sequence.block_table], [sequence.num_tokens])
        for plan in (five.flat_plan(), tree_plan(five.sequences, 4, 2)):
            got, _ = decode(five.q, five.pool, plan)
            assert torch.allclose(got[row], want[0], atol=1e-5)


def test_the_picture_of_a_plan_names_every_span_and_reader(five):
    text = plot_plan(tree_plan(five.sequences, 4, 2)).text.splitlines()
    assert text[1] == "  A: 20 tokens from  0, requests 0, 1, 2, 3, 4"
    assert text[-1] == "  H: 12 tokens from 20, request 4"
    shown = sum(int(line.split()[1]) for line in text[1:])
    assert text[0] == f"8 spans, {shown} KV tokens read"


def test_the_picture_of_a_prefill_counts_all_pairs():
    text = plot_prefill(num_cached=48, num_new=18).text
    numbers = [int(word) for word in text.replace(",", "").split() if word.isdigit()]
    assert numbers == [48 * 18, 18 * 19 // 2, 48 * 49 // 2]
    assert sum(numbers) == 66 * 67 // 2


def test_a_computed_point_lies_on_the_roof_and_a_measured_one_below():
    roofs = Roofs(bytes_per_s=1e9, flops_per_s=1e11)
    assert ridge(roofs) == 100
    slow, fast = Attained("slow", 1e9, 1e9), Attained("fast", 1e9, 1e12)
    assert slow.flops_per_s(roofs) == pytest.approx(1e9)
    assert fast.flops_per_s(roofs) == pytest.approx(1e11)
    assert Attained("run", 1e9, 1e9, time_us=2e6).flops_per_s(roofs) == pytest.approx(5e8)
    assert plot_roofline(roofs, [slow], "a machine").text == (
        "a machine; ridge at 100\n  slow: 1.0 FLOPs a byte"
    )


def test_the_picture_of_spoilt_blocks_says_which_ones_matter():
    texts, answers = ["The sky is", "blue."], ["blue", "red"]
    text = plot_spoiled("What is the sky?", texts, [5, 2], answers, right="blue").text
    assert text == "What is the sky? Another answer if spoilt: blocks [2] of [5, 2]"


def test_without_triton_the_recorded_result_says_so(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "triton" else find(name)
    )
    run = run_kernel("interpret")
    assert run.source.startswith("recorded 20") and run.source.endswith("not installed here")
    assert run.facts == json.loads(RECORDED.read_text())["interpret"]


@NEEDS_TRITON
def test_a_child_that_fails_gives_the_recorded_result_and_the_reason(monkeypatch):
    monkeypatch.setattr("sys.executable", "false")
    assert "does not run here (exit status 1)" in run_kernel("compile").source


@NEEDS_TRITON
def test_what_was_recorded_is_what_the_kernels_do_today():
    fresh, recorded = run_kernel("interpret"), json.loads(RECORDED.read_text())["interpret"]
    if fresh.source.startswith("recorded"):
        pytest.skip(fresh.source)
    counts = [{key: fact[key] for key in ("plan", "programs", "merges")} for fact in fresh.facts]
    assert counts == [{key: fact[key] for key in counts[0]} for fact in recorded]
    assert all(fact["error"] <= 1e-6 for fact in fresh.facts + recorded)
