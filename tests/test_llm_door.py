"""The door of an LLM: what may be asked, in which forms, and what an answer says of its end."""

import json
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("tokenizers", reason="tokenizers is not installed: the extra `model` has it")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from radixlab import LLM, SamplingParams  # noqa: E402
from radixlab.cache import Tokens  # noqa: E402
from radixlab.config import ConfigError, SchedulerConfig  # noqa: E402
from radixlab.model.errors import MissingFileError, ModelError  # noqa: E402
from radixlab.model.runner import dense_logits  # noqa: E402
from radixlab.model.sampler import Sampler  # noqa: E402
from radixlab.model.tiny import TINY, fact_sheet  # noqa: E402
from radixlab.model.tokenizer import Tokenizer  # noqa: E402
from radixlab.sched import ArgumentError  # noqa: E402
from tests.cache.helpers import refused  # noqa: E402
from tests.model.checkpoints import save_checkpoint  # noqa: E402
from tests.test_llm import (  # noqa: E402
    MODEL,
    SIZES,
    TEXT,
    TOKENIZER,
    VOCABULARY,
    idle,
    llm,
    one_thread,  # noqa: F401  a fixture
)

EOS = VOCABULARY.token_to_id("</s>")
IDS = [9, 8, 7, 6, 5]
OTHER = [3, 3, 9]


def answers(outputs):
    return [output.token_ids for output in outputs]


# ---- what a prompt is

ONE = [
    TEXT, [TEXT], (TEXT,), np.array([TEXT]), np.array([TEXT], object),
    IDS, tuple(IDS), [IDS], [tuple(IDS)], np.array(IDS), np.array(IDS, np.uint8), Tokens(IDS),
    [np.array(IDS, np.int32)], np.array([IDS]), torch.tensor(IDS), torch.tensor([IDS]),
    [torch.tensor(IDS)], [Tokens(IDS)], [np.int64(token) for token in IDS],
]  # fmt: skip
SEVERAL = [
    [IDS, OTHER], (IDS, OTHER), [np.array(IDS), torch.tensor(OTHER)], [tuple(IDS), Tokens(OTHER)],
    [TEXT, OTHER], [TEXT, np.array(OTHER)], np.array([IDS[:3], OTHER]), [[1], [2]],
    torch.tensor([IDS[:3], OTHER]), [range(5), OTHER],
]  # fmt: skip


@pytest.mark.parametrize("given", ONE, ids=lambda given: f"{type(given).__name__} {given!r:.20}")
def test_one_prompt_in_any_form_is_one_answer(given):
    "19 forms of one text or one list of token ids"
    model = llm()
    expected = TEXT if "cache" in repr(given) and "Tokens" not in repr(given) else IDS
    assert answers(model.generate(given)) == answers(model.generate([expected]))


def test_a_range_is_a_list_of_token_ids():
    assert answers(llm().generate(range(5))) == answers(llm().generate([[0, 1, 2, 3, 4]]))


@pytest.mark.parametrize(
    "given", SEVERAL, ids=lambda given: f"{type(given).__name__} {given!r:.30}"
)
def test_several_prompts_in_any_form_are_an_answer_each(given):
    model = llm()
    apart = [answer for prompt in given for answer in answers(model.generate([prompt]))]
    assert answers(model.generate(given)) == apart
    assert len(apart) == 2


@pytest.mark.parametrize("nothing", [[], (), np.zeros((0, 3), np.int32)], ids=repr)
def test_no_prompt_is_no_answer(nothing):
    assert llm().generate(nothing) == []


def test_an_empty_array_is_one_prompt_that_is_rejected():
    (output,) = llm().generate(np.zeros(0, np.int32))
    assert "0 tokens" in output.error


BAD = [
    [1, TEXT], [TEXT, 1], [[1], 2], b"text", bytearray(b"text"), {"prompt": TEXT},
    [{"role": "user"}], iter([TEXT]), 7, None, np.int64(3), torch.tensor(3),
    np.zeros((2, 2, 2), np.int32), (text for text in [TEXT]), {1, 2, 3}, 1.5,
    np.array([[TEXT, TEXT]]),
]  # fmt: skip


@pytest.mark.parametrize("given", BAD, ids=lambda given: f"{type(given).__name__} {given!r:.20}")
def test_what_is_no_prompt_is_refused_in_one_line(given):
    "17 forms"
    model = llm()
    with pytest.raises(ArgumentError) as caught:
        model.generate(given)
    assert "prompt" in str(caught.value) and "\n" not in str(caught.value)
    assert idle(model)


# ---- conversations

TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'odd' %}{{ raise_exception('an odd role') }}{% endif %}"
    "<|{{ m.role }}|>{{ m.content }}{% if shout %}!{% endif %}{% endfor %}<|assistant|>"
)
TALKER = Tokenizer(VOCABULARY, {}, TOKENIZER.eos_ids, TEMPLATE)
TALK = [{"role": "user", "content": "the cache"}]
LONGER = [*TALK, {"role": "assistant", "content": "the tree"}, {"role": "user", "content": "node"}]


@pytest.mark.parametrize("talks", [TALK, [TALK], [TALK, LONGER], (LONGER,), [tuple(TALK)]], ids=len)
@pytest.mark.parametrize("variables", [{}, {"shout": True}], ids=str)
def test_a_conversation_is_the_prompt_that_the_template_writes(talks, variables):
    model = llm(TALKER)
    many = [talks] if isinstance(talks[0], dict) else talks
    prompts = [TALKER.chat(talk, **variables) for talk in many]
    assert answers(model.chat(talks, **variables)) == answers(model.generate(prompts))


def test_a_conversation_that_the_template_refuses_is_rejected_alone():
    outputs = llm(TALKER).chat([TALK, [{"role": "odd", "content": ""}], [], LONGER])
    assert [o.finish_reason for o in outputs] == ["length", "rejected", "rejected", "length"]
    assert "an odd role" in outputs[1].error and "at least one message" in outputs[2].error


@pytest.mark.parametrize(
    "talks", [[], "hello", ["hello"], TALK[0], None, [TALK, TALK[0]], [TALK, "hello"], 7], ids=repr
)
def test_what_is_no_conversation_is_refused(talks):
    model = llm(TALKER)
    with refused(ArgumentError, "messages must be"):
        model.chat(talks)
    assert idle(model)


@pytest.mark.parametrize(
    "tokenizer, lacks", [(None, "a tokenizer"), (TOKENIZER, "a chat template")]
)
def test_a_chat_without_a_template_is_refused_by_name(tokenizer, lacks):
    with refused(ArgumentError, "chat needs", lacks):
        llm(tokenizer).chat(TALK)


# ---- several answers


@pytest.mark.parametrize("n", [1, 2, 5])
def test_n_stands_in_the_parameters_or_beside_them(n):
    params = SamplingParams(temperature=1.0, seed=4, n=n)
    ours = llm().generate([TEXT, IDS], params)
    assert answers(ours) == answers(llm().generate([TEXT, IDS], SamplingParams(1.0, seed=4), n=n))
    assert len(ours) == 2 * n
    assert answers(ours[:n]) == [
        *answers(llm().generate(TEXT, SamplingParams(1.0, seed=4 + i))[0] for i in range(n))
    ]


def test_answers_to_one_prompt_compute_it_once_and_copy_one_block_each():
    model = llm()
    model.generate(TEXT, SamplingParams(temperature=1.0, n=4, max_tokens=2))
    stats, num_prompt = model.engine.stats(), len(TOKENIZER.encode(TEXT))
    assert stats.cached_tokens == 3 * num_prompt  # all but the first find the whole prompt
    assert num_prompt % 4  # so that the answers begin in a block that they share
    assert 3 <= stats.cache.copied_blocks <= 4


def test_a_stream_is_one_answer():
    with refused(ArgumentError, "n must be 1", 3):
        llm().stream(TEXT, SamplingParams(n=3))


# ---- how an answer ends


def forced(*tokens, **more):
    """Make the model say these tokens, the first the likeliest."""
    return SamplingParams(logit_bias={t: 100 - 30 * i for i, t in enumerate(tokens)}, **more)


LETTER = VOCABULARY.token_to_id("x")
ENDS = [
    (forced(LETTER, max_tokens=3), "length", None, 3, "xxx"),
    (forced(EOS), "stop", None, 1, ""),
    (forced(EOS, ignore_eos=True, max_tokens=2), "length", None, 2, ""),
    (forced(LETTER, stop="xx"), "stop", "xx", 2, ""),
    (forced(LETTER, stop=["no", "xxx"]), "stop", "xxx", 3, ""),
    (forced(LETTER, stop_token_ids=[5, LETTER]), "stop", LETTER, 1, ""),
    (forced(LETTER, stop_token_ids=[LETTER], ignore_eos=True), "stop", LETTER, 1, ""),
    (forced(EOS, stop_token_ids=[EOS], ignore_eos=True), "stop", EOS, 1, ""),
    (forced(EOS, LETTER, min_tokens=2), "stop", None, 3, "xx"),
    (forced(EOS, LETTER, min_tokens=2, max_tokens=2), "length", None, 2, "xx"),
    (forced(LETTER, stop="x", min_tokens=2), "stop", "x", 3, "xx"),
    (forced(LETTER, stop="xx", min_tokens=2), "stop", "xx", 3, "x"),
    (forced(LETTER, stop="xx", min_tokens=3, max_tokens=3), "length", None, 3, "xxx"),
    (forced(5, LETTER, stop_token_ids=[5], min_tokens=2), "stop", 5, 3, "xx"),
]


@pytest.mark.parametrize("case", ENDS, ids=lambda case: repr(case[0])[80:])
def test_output_and_stream_say_why_the_answer_ended(case):
    "14 ends: by length, by the model's token, by a stop string, by a token of the caller's"
    params, reason, stopped_by, num_tokens, text = case
    model = llm()
    (output,) = model.generate(TEXT, params)
    assert (output.finish_reason, output.stop_reason) == (reason, stopped_by)
    assert (len(output.token_ids), output.text) == (num_tokens, text)
    *before, last = model.stream(TEXT, params)
    assert all(piece.end is None for piece in before)
    assert (last.end.finish_reason, last.end.stop_reason) == (reason, stopped_by)
    assert (last.end.token_ids, last.end.text) == (output.token_ids, text)
    assert last.end.num_cached_tokens == (output.num_prompt_tokens - 1) // 4 * 4
    assert "".join(piece.text for piece in [*before, last]) == text
    assert idle(model)


def test_an_answer_that_somebody_aborts_ends_its_stream_with_what_there_was():
    model = llm()
    stream = model.stream(TEXT, SamplingParams(max_tokens=50))
    first = next(stream)
    (request,) = model.engine.requests.values()
    model.engine.abort(request.id)
    *_, last = stream
    assert (last.token_id, last.end.finish_reason) == (None, "abort")
    assert last.end.token_ids[0] == first.token_id
    assert idle(model)


def test_a_server_runs_the_steps_itself():
    model = llm()
    params = SamplingParams(temperature=1.0, seed=3, n=3, max_tokens=5)
    asked = model.ask(TEXT, params)
    while not all(answer.is_over for answer in asked):
        model.step()
    assert answers(a.output() for a in asked) == answers(llm().generate(TEXT, params))
    assert all(answer.pieces[-1].end == answer.output() for answer in asked)
    assert idle(model)


# ---- log probabilities


@settings(max_examples=8)
@given(st.integers(0, 99), st.sampled_from([0, 1, 5, 20]), st.sampled_from([0.0, 1.0]))
def test_log_probabilities_are_those_of_a_run_without_a_cache(seed, num_top, temperature):
    model = llm()
    ids = np.random.default_rng(seed).integers(4, 300, 9).tolist()
    params = SamplingParams(temperature, seed=seed, logprobs=num_top, max_tokens=6, ignore_eos=True)
    for _ in range(2):  # the second finds the prompt in the cache
        (output,) = model.generate(ids, params)
        expected = dense_logits(MODEL, ids + output.token_ids).log_softmax(-1)[len(ids) - 1 : -1]
        for token, found, row in zip(output.token_ids, output.logprobs, expected, strict=True):
            assert found.token_id == token
            assert found.logprob == pytest.approx(float(row[token]), abs=1e-3)
            values = [value for _, value in found.top]
            assert values == pytest.approx(row.topk(num_top).values.tolist(), abs=1e-3)
    pieces = list(model.stream(ids, params))
    assert [piece.logprob for piece in pieces] == pieces[-1].end.logprobs


def test_no_log_probabilities_unless_asked_for():
    (output,) = llm().generate(TEXT)
    assert output.logprobs is None


# ---- the model: its name, dtype, device, context and defaults


def test_a_name_that_the_course_knows_stands_for_its_folder():
    sheet = fact_sheet(seed=0, num_facts=4, num_tokens=40)
    fact = sheet.facts[1]
    by_name = LLM("tiny", dtype="float32").generate(
        sheet.prompt(fact), SamplingParams(max_tokens=32)
    )
    assert by_name[0].text == fact.sentence
    assert answers(by_name) == answers(
        LLM(TINY, dtype="float32").generate(sheet.prompt(fact), SamplingParams(max_tokens=32))
    )


@pytest.mark.parametrize("name", ["gpt2", "/nowhere/at/all", "meta-llama/Llama-3", "Tiny"])
def test_an_unknown_name_is_refused_with_those_that_are_known(name):
    with refused(MissingFileError, name, "tiny, smollm2"):
        LLM(name)


def test_a_model_that_is_not_fetched_yet_says_how(monkeypatch, tmp_path):
    monkeypatch.setenv("RADIXLAB_HOME", str(tmp_path))
    with refused(MissingFileError, "radixlab model smollm2"):
        LLM("smollm2")


DTYPES = {"auto": torch.float16, "float32": torch.float32, "bfloat16": torch.bfloat16,
          "half": torch.float16, torch.float32: torch.float32}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_weights_and_cache_have_the_dtype_that_is_named(dtype):
    model = LLM("tiny", dtype=dtype)
    found = {model.engine.runner.model.norm.weight.dtype, model.engine.runner.store.data.dtype}
    assert found == {DTYPES[dtype]}


REFUSED = {
    "dtype": ["int8", "float8", "FLOAT32", "", 7, None, torch.int32, torch.float64, ["float32"]],
    "device": ["tpu", "gpu", "", 7, "meta", "cuda:99", "cuda:-1", ["cpu"]],
    "max_model_len": [2049, 10**30, 0, -1, "64", 64.0, True],
    "defaults": [{"seed": 3}, {"top_p": 0}, {"temperature": "hot"}, 7, ["top_p"], "temperature"],
    "model": [None, 7, b"tiny", ["tiny"], ""],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values],
    ids=str,
)  # fmt: skip
def test_a_bad_argument_of_an_llm_is_named_with_its_value(name, value):
    "35 values"
    with pytest.raises((ConfigError, ModelError)) as caught:
        LLM(**{"model": "tiny"} | {name: value})
    message = str(caught.value)
    assert name in message or "top_p" in message or "temperature" in message, message
    assert "\n" not in message


def test_a_longer_context_than_the_models_is_refused_with_both_numbers():
    with refused(ConfigError, "max_model_len", 300, 256):
        LLM(MODEL, max_model_len=300)


@pytest.mark.parametrize("most", [1, 20, 256, None])
def test_prompt_and_answer_together_have_at_most_max_model_len_tokens(most):
    model = LLM(MODEL, TOKENIZER, max_model_len=most)
    limit = most or 256
    assert model.max_model_len == limit
    (bad,) = model.generate([list(range(4, 4 + limit))])
    assert bad.finish_reason == "rejected" and f"context is {limit}" in bad.error
    if limit > 1:
        (good,) = model.generate([[7] * (limit - 1)], SamplingParams(ignore_eos=True))
        assert (len(good.token_ids), good.is_cut) == (1, True)


def test_a_loaded_model_is_not_loaded_again():
    assert LLM(MODEL, dtype="float32", device="cpu").engine.runner.model is MODEL
    for more in ({"dtype": "bfloat16"}, {"dtype": "half"}):
        with refused(ConfigError, "loaded already", "float32"):
            LLM(MODEL, **more)


@pytest.fixture
def folder(tmp_path):
    save_checkpoint(tmp_path, MODEL, **SIZES)
    VOCABULARY.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


STATED = {"temperature": 0.7, "top_k": 20, "top_p": 0.8, "repetition_penalty": 1.3}


def test_a_folders_defaults_apply_and_a_caller_sees_and_overrides_them(folder):
    (folder / "generation_config.json").write_text(json.dumps({**STATED, "eos_token_id": [1, 7]}))
    model, seed = LLM(folder), {"seed": 5}
    assert model.defaults == STATED
    assert model.engine.eos_ids == {1, 7}
    (output,) = model.generate(TEXT, SamplingParams(**seed))
    assert {name: getattr(output.params, name) for name in STATED} == STATED
    (explicit,) = llm().generate(TEXT, SamplingParams(**STATED, **seed, stop_token_ids=[7]))
    assert output.token_ids == explicit.token_ids
    off = SamplingParams(temperature=0, top_k=-1, top_p=1, repetition_penalty=1)
    (greedy,) = model.generate(TEXT, off)
    assert answers(llm().generate(TEXT, SamplingParams(stop_token_ids=[7]))) == [greedy.token_ids]
    assert answers(LLM(folder, defaults={}).generate(TEXT)) == [greedy.token_ids]
    other = LLM(folder, defaults={"top_p": 0.5})
    assert other.generate(TEXT)[0].params.top_p == 0.5


@pytest.mark.parametrize("name, value", [("stop_token_ids", [5000]), ("logit_bias", {5000: 1.0})])
def test_ids_outside_the_vocabulary_are_refused_at_every_door(name, value):
    model, params = llm(), SamplingParams(**{name: value})
    for ask in (model.generate, model.stream, model.ask):
        with refused(ConfigError, name, 5000, SIZES["vocab_size"] - 1):
            ask(TEXT, params)
    with refused(ConfigError, name, 5000):
        model.engine.add_request(IDS, sampler=Sampler(params))
    assert idle(model)


# ---- the package's own door


def test_importing_the_package_imports_neither_torch_nor_numpy():
    code = (
        "import sys, radixlab; from radixlab import SamplingParams; SamplingParams(n=2);"
        "print({'torch', 'numpy', 'tokenizers'} & {*sys.modules}); from radixlab import LLM;"
        "print(LLM.__name__, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.splitlines() == ["set()", "LLM True"], run.stderr


def test_without_torch_the_package_says_what_to_install():
    code = "import sys; sys.modules['torch'] = None; from radixlab import LLM"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'radixlab[model]'" in run.stderr.splitlines()[-1]


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    import radixlab

    with pytest.raises(AttributeError, match="no attribute 'LLMs'"):
        radixlab.LLMs  # noqa: B018
    assert SchedulerConfig().max_running == 64
