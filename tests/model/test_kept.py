"""What top-k and top-p keep: by the rules token by token, and beside transformers' own warpers."""

import itertools
import os

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from hypothesis import assume, given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from radixlab.model.kept import keep, nucleus_limit  # noqa: E402
from radixlab.model.sampler import SamplingParams  # noqa: E402

LOGITS = st.lists(st.integers(-24, 24).map(lambda n: n / 4), min_size=1, max_size=40)
PARAMS = st.builds(
    SamplingParams,
    temperature=st.sampled_from([0.5, 1.0, 2.0]),
    top_k=st.none() | st.just(-1) | st.integers(1, 45),
    top_p=st.just(1.0) | st.floats(0.01, 0.99),
    min_p=st.just(0.0) | st.floats(0.0, 1.0),
    seed=st.integers(0, 9),
)
ROWS = st.lists(st.tuples(LOGITS, PARAMS), min_size=1, max_size=4)
CANDIDATES = st.sampled_from([1, 2, 5, 16, 256])
SHAPES = {
    "flat": lambda: torch.randn(5000, generator=torch.Generator().manual_seed(0)),
    "peaked": lambda: 6 * torch.randn(5000, generator=torch.Generator().manual_seed(1)),
    "of few values": lambda: SHAPES["flat"]().mul(2).round().div(2),
    "all equal": lambda: torch.zeros(5000),
    "one token": lambda: torch.zeros(5000).index_fill(0, torch.tensor([4321]), 40.0),
    "mostly ruled out": lambda: SHAPES["flat"]().masked_fill(
        torch.arange(5000) % 7 > 0, -torch.inf
    ),
    "falling": lambda: -torch.arange(5000.0) / 300,
}
RULES = [  # odd shares: no sum of equal weights is one of them, else rounding would decide
    {"top_k": 1},
    {"top_k": 50},
    {"top_k": 1000},
    {"top_k": 9999},
    {"top_p": 0.00137},
    {"top_p": 0.30313},
    {"top_p": 0.95131},
    {"top_p": 0.99993},
    {"top_k": 300, "top_p": 0.81117},
    {"top_k": 50, "top_p": 0.11113},
    {"min_p": 0.00731},
    {"min_p": 0.51117},
    {"min_p": 1.0},
    {"top_k": 300, "top_p": 0.91117, "min_p": 0.20531},
    {},
]


def padded(rows):
    """Make one tensor of rows of several lengths."""
    vocab = max(len(logits) for logits, _ in rows)
    return torch.tensor([logits + [-6.25] * (vocab - len(logits)) for logits, _ in rows])


def chances(logits, params, num_candidates=256):
    """Return the probability of every token, `[n, vocab]`."""
    out = torch.full(logits.shape, torch.nan, dtype=torch.float64)
    for kept in keep(logits, params, num_candidates):
        share = kept.weights.double() / kept.weights.double().sum(-1, keepdim=True)
        for i, row in enumerate(kept.rows):
            assert out[row].isnan().all(), "a row came twice"
            tokens = torch.arange(logits.shape[1]) if kept.tokens is None else kept.tokens[i]
            assert (tokens.diff() > 0).all()
            out[row] = 0
            out[row, tokens] = share[i]
    return out


def truth(logits, params):
    """Return the probability of every token, and how near top-p came to another decision."""
    ranked = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    if params.top_k not in (None, -1) and params.top_k < len(ranked):
        kth = logits[ranked[params.top_k - 1]]
        ranked = [token for token in ranked if logits[token] >= kth]
    weights = np.exp(np.array([logits[token] for token in ranked]) / params.temperature)
    shares, margin = weights / weights.sum(), 1.0
    if params.top_p < 1:
        up_to = list(itertools.accumulate(shares))
        margin = min(abs(share - params.top_p) for share in up_to)
        shares = shares[: 1 + next(i for i, share in enumerate(up_to) if share >= params.top_p)]
    margin = min(margin, *(abs(share / shares[0] - params.min_p) for share in shares[1:]), 1.0)
    shares = shares[shares >= params.min_p * shares[0] - 1e-12]
    expected = np.zeros(len(logits))
    expected[ranked[: len(shares)]] = shares / shares.sum()
    return expected, margin


@given(ROWS, CANDIDATES)
def test_exactly_what_the_rules_leave_can_be_drawn(rows, num_candidates):
    logits = padded(rows)
    found = chances(logits, [params for _, params in rows], num_candidates).numpy()
    for row, (_, params) in enumerate(rows):
        expected, margin = truth(logits[row].tolist(), params)
        assume(margin > 1e-5)  # else rounding decides
        assert ((found[row] > 0) == (expected > 0)).all()
        np.testing.assert_allclose(found[row], expected, rtol=1e-5)


@given(ROWS, CANDIDATES)
def test_what_a_row_keeps_depends_on_neither_its_neighbours_nor_the_candidates(rows, candidates):
    logits, params = padded(rows), [params for _, params in rows]
    together = chances(logits, params, candidates)
    apart = [chances(logits[i : i + 1], params[i : i + 1])[0] for i in range(len(rows))]
    assert torch.equal(together, torch.stack(apart))


def warped(logits, params):
    """Return the probability of every token as transformers samples it."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    process = pytest.importorskip(
        "transformers.generation.logits_process",
        reason="transformers is not installed: the extra `oracle` brings it",
    )
    warped = process.TemperatureLogitsWarper(params.temperature)(None, logits[None].double())
    if params.top_k:
        warped = process.TopKLogitsWarper(params.top_k)(None, warped)
    if params.top_p < 1:
        warped = process.TopPLogitsWarper(params.top_p)(None, warped)
    if params.min_p:
        warped = process.MinPLogitsWarper(params.min_p)(None, warped)
    return warped.softmax(-1)[0]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_tokens_are_as_likely_as_in_transformers(shape, rule):
    """Of tokens as likely as each other the nucleus may keep others, but as many."""
    logits = SHAPES[shape]()
    for temperature in (0.6, 1.3):
        params = SamplingParams(temperature, **rule)
        ours, theirs = chances(logits[None], [params])[0], warped(logits, params)
        assert int((ours > 0).sum()) == int((theirs > 0).sum())
        by_rank = [x.sort(descending=True).values for x in (ours, theirs)]
        assert (by_rank[0] - by_rank[1]).abs().max() <= 1e-5
        differ = logits[(ours > 0) != (theirs > 0)]
        assert "top_p" in rule or not len(differ)
        assert (differ == logits[ours > 0].min()).all()


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=30),
    st.sampled_from([1, 7, 40, 150]),
    st.floats(0.001, 0.999),
)
def test_the_limit_of_a_nucleus_is_that_of_a_sort(numbers, times, top_p):
    weights = np.random.default_rng(0).permutation(np.array(numbers * times, np.float32))
    assume(weights.any())
    least, num_equal = nucleus_limit(weights, top_p)
    ranked = np.sort(weights)[::-1].astype(float)
    assume(np.abs(ranked.cumsum() - top_p * ranked.sum()).min() > 1e-9)
    num_kept = 1 + int((ranked.cumsum() < top_p * ranked.sum()).sum())
    assert least == ranked[num_kept - 1]
    assert num_equal == int((ranked[:num_kept] == least).sum())
