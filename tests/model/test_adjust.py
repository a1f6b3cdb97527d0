"""Bias, penalties and ends ruled out: beside transformers' own processors, and by definition."""

import os
import random

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from radixlab.config import ConfigError  # noqa: E402
from radixlab.model.adjust import Adjustment, adjust  # noqa: E402
from radixlab.model.sampler import Sampler, SamplingParams, choose  # noqa: E402
from tests.cache.helpers import refused  # noqa: E402
from tests.model.test_kept import SHAPES, chances  # noqa: E402

VOCAB = 5000
PROMPTS = {
    "one token": [7],
    "a token often": [7, 7, 7, 8, 7],
    "many": list(range(0, 4000, 3)),
    "every token": list(range(VOCAB)),
}
ANSWERS = {"nothing yet": [], "one": [8], "again and again": [9, 9, 4321, 9, 7, 4321, 0]}
VALUES = {
    "logit_bias": [
        {7: 5},
        {0: -100, 8: 2.5, 4999: 100},
        {token: 0.5 for token in range(0, 5000, 2)},
    ],
    "repetition_penalty": [0.25, 0.9, 1.2, 2.0, 7.5, 1000.0],
    "min_tokens": [1, 2, 8],
}
ENDS = [8, 9, 4321]


@pytest.fixture(scope="module")
def oracle():
    """Return transformers' own list of processors for a request, in transformers' own order."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    reason = "transformers is not installed: the extra `oracle` brings it"
    transformers = pytest.importorskip("transformers", reason=reason)
    sizes = dict.fromkeys(["hidden_size", "intermediate_size", "num_attention_heads"], 1)
    config = transformers.LlamaConfig(vocab_size=4, num_hidden_layers=1, **sizes)
    model = transformers.LlamaForCausalLM(config)

    def processed(logits, params, prompt, answer):
        bias = {(token,): value for token, value in params.logit_bias}
        options = {
            "sequence_bias": bias or None,
            "repetition_penalty": params.repetition_penalty,
            "min_new_tokens": params.min_tokens or None,
            "eos_token_id": ENDS,
            "do_sample": params.temperature > 0,
        }
        if params.temperature:
            options |= {"temperature": params.temperature, "top_k": max(params.top_k or 0, 0)}
            options |= {"top_p": params.top_p, "min_p": params.min_p or None}
        said = transformers.GenerationConfig(**options)
        model._prepare_special_tokens(said)
        processors = model._get_logits_processor(said, len(prompt))
        return processors(torch.tensor([prompt + answer]), logits[None].clone())[0]

    return processed


def rule(params, prompt, answer):
    made = Adjustment(params, prompt, ENDS)
    for token in answer:
        made.add(token)
    return made


ROWS = [
    (SamplingParams(**{name: value}, max_tokens=99), PROMPTS[prompt], ANSWERS[answer], shape)
    for name, values in VALUES.items()
    for value in values
    for prompt in PROMPTS
    for answer in ANSWERS
    for shape in ("flat", "mostly ruled out")
]


def test_each_rule_equals_transformers_processor_all_rows_in_one_batch(oracle):
    "288 rows with a rule each, over shapes of logits, prompts and answers, adjusted together"
    logits = torch.stack([SHAPES[shape]() for *_, shape in ROWS])
    before = logits.clone()
    ours = adjust(logits, [rule(*row) for *row, _ in ROWS])
    assert torch.equal(logits, before)  # the caller's logits are untouched
    for row, (params, prompt, answer, _) in enumerate(ROWS):
        theirs = oracle(logits[row], params, prompt, answer)
        torch.testing.assert_close(ours[row], theirs, rtol=1e-6, atol=1e-6, msg=str(params))


def drawn_settings(dice, vocab_size=VOCAB):
    """Draw a combination of everything that transformers has too."""
    return {
        "temperature": dice.choice([0.0, 0.7, 1.3]),
        "top_k": dice.choice([None, -1, 3, 40, 700]),
        "top_p": dice.choice([1.0, 0.30313, 0.95131]),
        "min_p": dice.choice([0.0, 0.0213, 0.3, 1.0]),
        "min_tokens": dice.choice([0, 3, 9]),
        "repetition_penalty": dice.choice([1.0, 0.8, 1.15, 1.9]),
        "logit_bias": dice.choice([None, {4: 3, 9: -7.5}, {dice.randrange(vocab_size): 30}]),
    }


def drawn_rows(number):
    """Draw requests that are under way."""
    dice, rows = random.Random(number), []
    for _ in range(8):
        num_tokens = dice.randrange(1, 60)
        tokens = [dice.choice([*ENDS, dice.randrange(VOCAB)]) for _ in range(num_tokens)]
        cut = dice.randrange(1, num_tokens + 1)
        params = SamplingParams(**drawn_settings(dice), max_tokens=99)
        rows.append((params, tokens[:cut], tokens[cut:]))
    return rows


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("shape", ["flat", "peaked"])
def test_combinations_equal_transformers_in_its_own_order(oracle, shape, number):
    "192 requests, 8 of a batch, each with parameters of its own"
    logits, rows = torch.stack([SHAPES[shape]()] * 8), drawn_rows(number)
    ours = adjust(logits, [rule(*row) for row in rows])
    warm = [i for i, (params, *_) in enumerate(rows) if params.temperature]
    found = dict(zip(warm, chances(ours[warm], [rows[i][0] for i in warm]), strict=True))
    for i, (params, prompt, answer) in enumerate(rows):
        theirs = oracle(logits[i], params, prompt, answer)
        if params.temperature:
            expected = theirs.double().softmax(-1)
            assert ((found[i] > 0) == (expected > 0)).all(), params
            torch.testing.assert_close(found[i], expected, rtol=1e-3, atol=1e-6)
        else:
            assert int(ours[i].argmax()) == int(theirs.argmax())


COUNTED = st.lists(st.integers(0, 9), max_size=30)
PENALTY = st.sampled_from([-2, -0.75, 0, 0.5, 2])


@given(st.lists(st.tuples(COUNTED, COUNTED, PENALTY, PENALTY), min_size=1, max_size=5))
def test_presence_and_frequency_count_the_answer_and_not_the_prompt(rows):
    logits = torch.linspace(-3, 3, 10).expand(len(rows), -1)
    rules = []
    for prompt, answer, presence, frequency in rows:
        params = SamplingParams(presence_penalty=presence, frequency_penalty=frequency)
        rules.append(rule(params, [0, *prompt], answer))
    ours = adjust(logits, rules)
    for row, (_, answer, presence, frequency) in enumerate(rows):
        for token in range(10):
            count = answer.count(token)
            expected = float(logits[row, token]) - count * frequency - (count > 0) * presence
            assert float(ours[row, token]) == pytest.approx(expected, abs=1e-5)


@given(COUNTED, st.lists(st.integers(0, 9), min_size=1, max_size=30), st.data())
def test_what_a_rule_does_depends_on_the_tokens_alone(prompt, answer, data):
    "However often the answer was cut back and continued"
    params = SamplingParams(
        repetition_penalty=1.5, presence_penalty=0.5, frequency_penalty=0.25, min_tokens=9
    )
    logits = torch.linspace(-3, 3, 10)[None]
    whole, torn = (Adjustment(params, prompt, [3]) for _ in range(2))
    for number, token in enumerate(answer):
        whole.add(token)
        for lost in data.draw(st.lists(st.integers(0, 9), max_size=2)):
            adjust(logits, [torn])
            torn.add(lost)
        torn.rewind(number)
        torn.add(token)
    assert torch.equal(adjust(logits, [whole]), adjust(logits, [torn]))


def test_ends_stay_where_the_model_allows_nothing_else():
    params = SamplingParams(min_tokens=5)
    logits = torch.full((2, 10), -torch.inf)
    logits[0, 3] = logits[1, 3] = logits[1, 4] = 1.0
    ours = adjust(logits, [Adjustment(params, None, [3, 9])] * 2)
    assert torch.equal(ours[0], logits[0])
    assert ours[1].isfinite().nonzero().tolist() == [[4]]


@pytest.mark.parametrize("name, value", [("repetition_penalty", 1.5), ("min_tokens", 3)])
def test_a_sampler_that_lacks_what_a_rule_counts_is_refused(name, value):
    with refused(ConfigError, name):
        Sampler(SamplingParams(**{name: value}))


@given(st.permutations(range(6)))
def test_a_row_is_chosen_alike_whatever_rules_its_neighbours_have(order):
    kinds = [
        {}, {"temperature": 1.0}, {"frequency_penalty": 2.0}, {"logit_bias": {5: 100}},
        {"temperature": 1.0, "repetition_penalty": 2.0}, {"min_tokens": 9, "logprobs": 2},
    ]  # fmt: skip
    logits = torch.randn(6, 40, generator=torch.Generator().manual_seed(3))

    def samplers():
        return [Sampler(SamplingParams(**kind, seed=1), [1, 2], [0]) for kind in kinds]

    alone, together = samplers(), samplers()
    for _ in range(5):
        apart = [choose(logits[i : i + 1], [alone[i]])[0] for i in range(6)]
        assert choose(logits[list(order)], [together[i] for i in order]) == [
            apart[i] for i in order
        ]
    assert apart[3] == 5


def test_log_probabilities_are_the_models_own_whatever_is_adjusted():
    logits = torch.randn(3, 40, generator=torch.Generator().manual_seed(3))
    expected = logits.log_softmax(-1)
    for num_top in (0, 1, 5, 20):
        params = SamplingParams(logprobs=num_top, logit_bias={7: 100}, temperature=2.0)
        samplers = [Sampler(params) for _ in range(3)]
        for row, token in enumerate(choose(logits, samplers)):
            (found,) = samplers[row].logprobs
            assert found.token_id == token
            assert found.logprob == pytest.approx(float(expected[row, token]), abs=1e-5)
            best = expected[row].topk(num_top)
            assert [each for each, _ in found.top] == best.indices.tolist()
            assert [value for _, value in found.top] == pytest.approx(
                best.values.tolist(), abs=1e-5
            )
