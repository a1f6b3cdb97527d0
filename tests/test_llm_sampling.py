"""The same tokens, whatever happens to a request on its way: preemption, forks, chunks, faults."""

import random
import sys
from contextlib import suppress

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("tokenizers", reason="tokenizers is not installed: the extra `model` has it")

from radixlab import LLM, SamplingParams  # noqa: E402
from radixlab.cache import check  # noqa: E402
from tests.model.test_adjust import drawn_settings  # noqa: E402
from tests.test_llm import SIZES, TEXT, TOKENIZER, idle, llm, one_thread  # noqa: E402, F401  a fixture


def drawn(number, num_requests=5):
    """Draw prompts with a common beginning, each with parameters of its own."""
    dice = random.Random(number)
    prompts = [
        [*TOKENIZER.encode(TEXT).tolist()[: dice.randrange(3, 11)], *dice.sample(range(4, 300), 3)]
        for _ in range(num_requests)
    ]
    params = [
        SamplingParams(
            **drawn_settings(dice, vocab_size=SIZES["vocab_size"]),
            presence_penalty=dice.choice([0, 0, 1.5, -1]),
            frequency_penalty=dice.choice([0, 0, 0.75]),
            seed=dice.randrange(99),
            logprobs=dice.choice([None, 0, 3]),
            n=dice.choice([1, 1, 3]),
            max_tokens=dice.randrange(9, 20),
        )
        for _ in prompts
    ]
    return prompts, params


def told(output):
    """Return what must be equal; log probabilities may differ in their last digits."""
    logprobs = output.logprobs and [
        (each.token_id, round(each.logprob, 2), len(each.top)) for each in output.logprobs
    ]
    return output.token_ids, output.text, output.finish_reason, output.stop_reason, logprobs


def alone(prompts, params):
    """Answer each prompt on an LLM of its own with plenty of room."""
    return [
        [told(output) for output in llm().generate(prompt, one)]
        for prompt, one in zip(prompts, params, strict=True)
    ]


def grouped(outputs, params):
    outputs = iter(outputs)
    return [[told(next(outputs)) for _ in range(one.n)] for one in params]


@pytest.mark.parametrize(
    "number", [*range(4), *(pytest.param(n, marks=pytest.mark.soak) for n in range(4, 24))]
)
def test_a_small_pool_and_small_steps_change_no_answer(number):
    "4 batches (24 in a soak) of 5 requests, some of 3 answers; each is also answered alone"
    prompts, params = drawn(number)
    expected = alone(prompts, params)
    model = llm(num_blocks=10, max_batch_tokens=8, max_running=4)
    outputs = model.generate(prompts, params)
    assert model.engine.stats().num_preemptions > 0
    assert grouped(outputs, params) == expected
    assert idle(model)


def test_what_is_counted_survives_a_preemption_at_every_token():
    "The prompt and the answer are computed again, and counted once"
    params = SamplingParams(
        temperature=1.0, seed=2, repetition_penalty=1.4, frequency_penalty=0.7, min_tokens=5,
        logprobs=1, max_tokens=9,
    )  # fmt: skip
    (whole,) = llm().generate(TEXT, params)
    for when in range(1, 9):
        model = llm()
        (answer,) = model.ask(TEXT, params)
        while not answer.is_over:
            model.step()
            if len(answer.request.output) == when and answer.request.sequence:
                model.engine.scheduler._preempt(answer.request)
        assert told(answer.output()) == told(whole)
        assert model.engine.stats().num_preemptions >= (when < 9)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("seed", range(3))
def test_a_fault_at_any_call_boundary_changes_no_count(seed):
    dice, (prompts, params) = random.Random(seed), drawn(seed, num_requests=3)
    expected = alone(prompts, params)
    model = llm(num_blocks=24)
    asked = [answer for p, one in zip(prompts, params, strict=True) for answer in model.ask(p, one)]

    def watch(frame, event, arg):
        nonlocal countdown
        if event in ("call", "return"):
            countdown -= 1
            if not countdown:
                raise MemoryError

    num_faults = 0
    while model.engine.requests:
        countdown = dice.randrange(1, 6000)
        sys.setprofile(watch)
        try:
            model.engine.step()
        except MemoryError:
            num_faults += 1
        finally:
            sys.setprofile(None)
        check(model.manager)
    for answer in asked:
        answer.read()
    assert num_faults > 0
    assert grouped([answer.output() for answer in asked], params) == expected


def test_a_batch_of_all_kinds_is_answered_as_each_alone_by_the_shipped_model():
    from radixlab.model.tiny import fact_sheet

    sheet = fact_sheet(seed=3, num_facts=4, num_tokens=60)
    model, prompts = LLM("tiny", dtype="float32"), [sheet.prompt(fact) for fact in sheet.facts]
    params = [SamplingParams(repetition_penalty=p, max_tokens=9) for p in (1, 1.1, 1.5, 4)]
    together = [output.token_ids for output in model.generate(prompts, params)]
    apart = [model.generate(*each)[0].token_ids for each in zip(prompts, params, strict=True)]
    assert together == apart
    assert model.generate(prompts[0])[0].text == sheet.facts[0].sentence


@pytest.mark.parametrize("number", range(3))
def test_tokens_that_were_chosen_and_lost_are_not_counted(number, monkeypatch):
    "Every step fails once, right after it has chosen its tokens"
    prompts, params = drawn(number, num_requests=3)
    expected = alone(prompts, params)
    model = llm()
    choose, failing = model.engine.runner.choose, []

    def fail_once(logits, samplers):
        tokens = choose(logits, samplers)
        if not failing:
            failing.append(True)
            raise MemoryError
        failing.clear()
        return tokens

    monkeypatch.setattr(model.engine.runner, "choose", fail_once)
    asked = [answer for p, one in zip(prompts, params, strict=True) for answer in model.ask(p, one)]
    while not all(answer.is_over for answer in asked):
        with suppress(MemoryError):
            model.step()
    assert grouped([answer.output() for answer in asked], params) == expected
    assert idle(model)
