"""Prompts in, answers out, over a tiny random model: what a caller sees."""

import os
import signal
import threading

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("tokenizers", reason="tokenizers is not installed: the extra `model` has it")

from radixlab.cache import CacheConfig, check  # noqa: E402
from radixlab.config import SchedulerConfig  # noqa: E402
from radixlab.llm import LLM, Output  # noqa: E402
from radixlab.model.errors import LogitsError  # noqa: E402
from radixlab.model.sampler import SamplingParams  # noqa: E402
from radixlab.model.tokenizer import Tokenizer  # noqa: E402
from radixlab.sched import RequestError, RequestTooLargeError, ThreadError  # noqa: E402
from tests.cache.helpers import refused  # noqa: E402
from tests.model.checkpoints import save_checkpoint, tiny_model  # noqa: E402
from tests.model.served import prompt  # noqa: E402
from tests.model.vocabularies import byte_level  # noqa: E402

VOCABULARY = byte_level()
SIZES = {"vocab_size": VOCABULARY.get_vocab_size()}
MODEL = tiny_model(**SIZES)
TOKENIZER = Tokenizer(VOCABULARY, {}, frozenset([VOCABULARY.token_to_id("</s>")]))
TEXT = "the cache holds the prefix, the tree holds the cache"


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def llm(tokenizer=TOKENIZER, num_blocks=64, **scheduler) -> LLM:
    cache = CacheConfig(num_blocks, block_size=4)
    return LLM(MODEL, tokenizer, cache=cache, scheduler=SchedulerConfig(**scheduler))


def idle(model: LLM) -> bool:
    """Whether nothing is left of any request, and no block is lost."""
    check(model.manager)
    model.manager.reset()
    return not (model.engine.has_work or model.manager.sequences)


def test_texts_and_token_ids_are_answered_alike():
    model = llm()
    by_text, by_ids = model.generate([TEXT, TOKENIZER.encode(TEXT).tolist()])
    assert by_text.token_ids == by_ids.token_ids
    assert by_text.text == by_ids.text == TOKENIZER.decode(by_text.token_ids)
    num_whole = (by_ids.num_prompt_tokens - 1) // 4 * 4
    assert (by_text.num_cached_tokens, by_ids.num_cached_tokens) == (0, num_whole)
    assert (by_text.finish_reason, by_text.miss_reason) == ("length", "not_cached")
    assert idle(model)


def test_a_bad_prompt_among_good_ones_is_rejected_alone():
    bad = {"empty": [], "position 1": [1, -2], "900 tokens": [1] * 900, r"\ud800": "\ud800"}
    outputs = llm().generate([TEXT, *bad.values(), None, "é"], SamplingParams(max_tokens=2))
    reasons = [output.finish_reason for output in outputs]
    assert reasons == ["length", *["rejected"] * 5, "length"]
    assert all(says in output.error for says, output in zip(bad, outputs[1:], strict=False))


def test_each_prompt_may_have_parameters_of_its_own():
    lengths = [3, 1]
    outputs = llm().generate([TEXT, TEXT], [SamplingParams(max_tokens=n) for n in lengths])
    assert [len(output.token_ids) for output in outputs] == lengths


def test_a_stop_string_ends_the_text_before_it_and_the_request_with_it():
    model, dice = llm(), {"temperature": 1.0, "seed": 3, "max_tokens": 20}
    (whole,) = model.generate([TEXT], SamplingParams(**dice))
    stop = whole.text[4:6]
    (stopped,) = model.generate([TEXT], SamplingParams(**dice, stop=("no such text", stop)))
    assert stopped.text == whole.text[: whole.text.index(stop)] != ""
    assert stopped.finish_reason == "stop"
    assert len(stopped.token_ids) < 20
    assert idle(model)


def test_a_stream_is_the_answer_in_pieces():
    model = llm()
    (output,) = model.generate([TEXT], SamplingParams(max_tokens=9))
    pieces = list(model.stream(TEXT, SamplingParams(max_tokens=9)))
    assert [piece.token_id for piece in pieces] == output.token_ids
    assert "".join(piece.text for piece in pieces) == output.text


def test_two_streams_are_read_in_turns():
    model = llm()
    prompts = [TEXT, TEXT[5:]]
    alone = [output.token_ids for output in model.generate(prompts)]
    streams = [model.stream(one) for one in prompts]
    turns = list(zip(*streams, strict=True))
    assert [[piece.token_id for piece in pieces] for pieces in zip(*turns, strict=True)] == alone
    assert idle(model)


def test_whoever_stops_reading_a_stream_gives_it_up():
    model = llm()
    stream = model.stream(TEXT, SamplingParams(max_tokens=100))
    next(stream)
    assert model.engine.has_work
    stream.close()
    assert idle(model)


def test_answers_to_one_prompt_are_forks_with_dice_of_their_own():
    model = llm()
    params = SamplingParams(temperature=1.0, seed=7, max_tokens=8)
    answers = model.generate([TEXT], params, n=4)
    assert len({tuple(answer.token_ids) for answer in answers}) == 4
    again = llm().generate([TEXT], params, n=4)
    assert [a.token_ids for a in again] == [a.token_ids for a in answers]
    assert [a.num_cached_tokens for a in answers] == [0] + [answers[0].num_prompt_tokens] * 3
    assert idle(model)


@pytest.mark.parametrize("num_steps", [0, 1, 3])
def test_an_interrupt_waits_for_the_step_and_leaves_nothing_behind(num_steps, monkeypatch):
    model = llm(max_running=4, max_batch_tokens=8)
    forward, steps = model.engine.runner.forward, []

    def interrupted(work):
        steps.append(len(work))
        if len(steps) > num_steps:
            os.kill(os.getpid(), signal.SIGINT)
        return forward(work)

    monkeypatch.setattr(model.engine.runner, "forward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.generate([TEXT, TEXT[3:]], SamplingParams(max_tokens=9), n=2)
    assert len(steps) == num_steps + 1
    assert idle(model)


def test_corrupt_kv_ends_whoever_reads_it_and_nobody_else():
    model, tenant = llm(), ("salt", "x")
    (whole,) = model.generate([TEXT])
    model.generate([TEXT], namespace=tenant)
    block = model.manager.peek(TOKENIZER.encode(TEXT), tenant)[1]
    model.engine.runner.store.data[:, :, block] = torch.nan
    good = model.stream(TEXT)
    pieces = [next(good)]
    bad = model.generate([TEXT, TEXT], n=2, namespace=tenant)
    assert [(output.finish_reason, output.token_ids) for output in bad] == [("error", [])] * 4
    assert f"a prompt of {whole.num_prompt_tokens} tokens" in bad[0].error
    with refused(LogitsError, "corrupt"):
        next(model.stream(TEXT, namespace=tenant))
    assert [piece.token_id for piece in [*pieces, *good]] == whole.token_ids
    assert idle(model)


def test_an_interrupt_while_asking_leaves_nothing_behind(monkeypatch):
    model = llm()
    add_request = model.engine.add_request

    def interrupted(*given, **more):
        request = add_request(*given, **more)
        os.kill(os.getpid(), signal.SIGINT)
        return request

    with monkeypatch.context() as patch:
        patch.setattr(model.engine, "add_request", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.generate([TEXT, TEXT])
        with pytest.raises(KeyboardInterrupt):
            next(model.stream(TEXT))
    assert idle(model)


def test_a_call_from_another_thread_is_no_bad_prompt():
    model, caught = llm(), []

    def visit():
        with refused(ThreadError, "'visitor'") as error:
            model.generate([TEXT])
        caught.append(error)

    thread = threading.Thread(target=visit, name="visitor")
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_parameters_of_another_kind_are_named():
    model = llm()
    for params in (None, 7, {"max_tokens": 3}):
        assert f"not {params!r}" in model.generate([TEXT], params)[0].error
        with refused(RequestError, "SamplingParams", repr(params)):
            next(model.stream(TEXT, params))
    bad, good = model.generate([TEXT, TEXT], [None, SamplingParams(max_tokens=2)])
    assert (bad.finish_reason, good.finish_reason) == ("rejected", "length")
    assert "not None" in bad.error


def test_a_request_given_to_the_engine_itself_is_served_beside():
    model = llm()
    request = model.engine.add_request(TOKENIZER.encode(TEXT), max_tokens=3)
    (output,) = model.generate([TEXT], SamplingParams(max_tokens=4))
    assert request.output == output.token_ids[:3]
    assert idle(model)


def test_token_ids_need_no_tokenizer_and_texts_do():
    model = llm(tokenizer=None)
    (output,) = model.generate([prompt(0, 9)])
    assert (output.text, len(output.token_ids)) == ("", 16)
    (rejected,) = model.generate(["text"])
    assert rejected == Output([], "", 0, 0, "rejected", error=rejected.error)
    assert "no tokenizer" in rejected.error
    with refused(RequestError, "no tokenizer"):
        next(model.stream([1], SamplingParams(stop=("x",))))


def test_one_text_is_no_list_of_prompts():
    with refused(RequestError, "a list of prompts, not one text"):
        llm().generate(TEXT)
    with refused(RequestError, "2 prompts", "1 params"):
        llm().generate([TEXT, TEXT], [SamplingParams()])


def test_an_answer_beyond_the_models_positions_is_refused():
    with refused(RequestTooLargeError, "context is 256"):
        next(llm(num_blocks=100).stream([1], SamplingParams(max_tokens=256)))


def test_a_folder_is_a_model_and_its_tokenizer(tmp_path):
    save_checkpoint(tmp_path, MODEL, **SIZES)
    VOCABULARY.save(str(tmp_path / "tokenizer.json"))
    (output,) = LLM(tmp_path).generate([TEXT])
    assert output.token_ids == llm().generate([TEXT])[0].token_ids


def test_progress_goes_to_stderr_where_that_is_a_terminal(capsys):
    llm().generate([TEXT])
    assert capsys.readouterr().out == capsys.readouterr().err == ""
