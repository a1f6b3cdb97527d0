"""The sampler: what is drawn, how often, and by whose dice."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from radixlab.config import ConfigError, shown  # noqa: E402
from radixlab.model.errors import LogitsError  # noqa: E402
from radixlab.model.sampler import Sampler, SamplingParams, choose  # noqa: E402
from tests.model.test_kept import ROWS, padded, truth  # noqa: E402


@pytest.mark.parametrize("top_k, top_p", [(None, 1.0), (7, 1.0), (None, 0.8), (7, 0.9)])
def test_tokens_come_as_often_as_they_should(top_k, top_p):
    logits = torch.randn(1, 20, generator=torch.Generator().manual_seed(1))
    params, num_draws = SamplingParams(0.8, top_k, top_p, seed=2), 5_000
    sampler = Sampler(params)
    drawn = [token for _ in range(50) for token in choose(logits.expand(100, -1), [sampler] * 100)]
    chances, _ = truth(logits[0].tolist(), params)
    counts, allowed = np.bincount(drawn, minlength=20), chances > 0
    assert not counts[~allowed].any()
    expected, degrees = num_draws * chances[allowed], int(allowed.sum()) - 1
    chi_square = ((counts[allowed] - expected) ** 2 / expected).sum()
    assert chi_square < degrees + 4 * (2 * degrees) ** 0.5


@given(ROWS, st.data())
def test_what_is_drawn_for_a_request_does_not_depend_on_the_batch(rows, data):
    logits = padded(rows)
    alone = [Sampler(params) for _, params in rows]
    apart = [[choose(logits[i : i + 1], [s])[0] for _ in range(3)] for i, s in enumerate(alone)]
    order = data.draw(st.permutations(range(len(rows))))
    greedy = Sampler(SamplingParams())
    batch = {i: Sampler(rows[i][1]) for i in order}
    for step in range(3):
        together = choose(logits[[*order, 0]], [*batch.values(), greedy])
        assert together[:-1] == [apart[i][step] for i in order]


def test_greedy_takes_the_likeliest_and_of_equals_the_lowest():
    logits = torch.tensor([[0.0, 3.0, 3.0], [5.0, -1.0, 5.0]])
    assert choose(logits, [Sampler(SamplingParams())] * 2) == [1, 0]


def test_a_temperature_near_zero_is_greedy():
    sampler = Sampler(SamplingParams(temperature=1e-300))
    assert choose(torch.tensor([[1.0, 1.5, 9.0]]), [sampler]) == [2]


@pytest.mark.parametrize("temperature", [1e-300, 2.0, 1e300])
def test_a_token_that_is_ruled_out_is_never_drawn(temperature):
    logits, sampler = torch.tensor([[-torch.inf, 0.0, -torch.inf]]), SamplingParams(temperature)
    assert {choose(logits, [Sampler(sampler)])[0] for _ in range(50)} == {1}


def test_the_same_seed_draws_the_same_and_no_seed_does_not():
    def drawn(seed):
        sampler = Sampler(SamplingParams(1.0, seed=seed))
        return [choose(torch.zeros(1, 1000), [sampler])[0] for _ in range(20)]

    assert drawn(3) == drawn(3) != drawn(4) != drawn(2**64 - 1)
    assert drawn(None) != drawn(None)


@pytest.mark.parametrize("largest", [torch.nan, torch.inf, -torch.inf])
def test_logits_whose_largest_is_not_finite_are_refused(largest):
    logits = torch.tensor([[0.0, 1.0], [largest, largest]])
    with pytest.raises(LogitsError, match=f"row 1 of 2: the largest logit is {largest}"):
        choose(logits, [Sampler(SamplingParams())] * 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.5},
        {"temperature": float("nan")},
        {"temperature": "hot"},
        {"temperature": 10**400},
        {"top_p": 10**400},
        {"seed": 10**5000},
        {"top_k": 0},
        {"top_k": 2.5},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"seed": -1},
        {"seed": 2**64},
        {"max_tokens": 0},
        {"stop": ""},
        {"stop": {"end"}},
        {"stop": ("",)},
        {"stop": (b"x",)},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_bad_parameters_are_named_in_one_line(wrong):
    with pytest.raises(ConfigError) as caught:
        SamplingParams(**wrong)
    ((name, value),) = wrong.items()
    message = str(caught.value)
    assert message.startswith(f"{name} must be") and "\n" not in message
    assert message.endswith(shown(value))
