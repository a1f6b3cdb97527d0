"""Prompts in, answers out, over a tiny random model: what a caller sees."""

import gc
import os
import random
import signal
import sys
import threading

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("tokenizers", reason="tokenizers is not installed: the extra `model` has it")

from radixlab.cache import CacheConfig, NamespaceError, as_tokens, check  # noqa: E402
from radixlab.config import ConfigError, SchedulerConfig  # noqa: E402
from radixlab.llm import LLM, Output  # noqa: E402
from radixlab.model.errors import LogitsError  # noqa: E402
from radixlab.model.sampler import SamplingParams  # noqa: E402
from radixlab.model.tokenizer import Tokenizer  # noqa: E402
from radixlab.sched import (  # noqa: E402
    ArgumentError,
    RequestTooLargeError,
    ThreadError,
)
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


def llm(tokenizer=TOKENIZER, num_blocks=64, num_host_blocks=0, **scheduler) -> LLM:
    cache = CacheConfig(num_blocks, block_size=4, num_host_blocks=num_host_blocks)
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


def close(stream):
    stream.close()


def elsewhere(function, *given):
    """Call a function in another thread, to the end."""
    thread = threading.Thread(target=function, args=given)
    thread.start()
    thread.join()


def test_a_stream_closed_in_another_thread_is_given_up_by_the_next_step():
    model = llm()
    whole = [piece.token_id for piece in model.stream(TEXT[5:])]
    dropped, read = model.stream(TEXT, SamplingParams(max_tokens=100)), model.stream(TEXT[5:])
    next(dropped)
    elsewhere(close, dropped)
    assert [piece.token_id for piece in read] == whole
    assert not model.engine.requests and not model._answers
    assert idle(model)


@pytest.mark.parametrize("where", ["here", "there", "in mid-step"])
def test_a_stream_that_is_dropped_is_given_up(where, monkeypatch):
    "By whoever collects the garbage: another thread, or this one while it computes"
    model = llm()
    whole = [piece.token_id for piece in model.stream(TEXT[5:])]
    holder = {"stream": model.stream(TEXT, SamplingParams(max_tokens=100))}
    next(holder["stream"])
    holder["me"] = holder  # a cycle, which only the collector frees
    del holder
    if where == "in mid-step":
        schedule, collect = model.engine.scheduler.schedule, iter([gc.collect])
        monkeypatch.setattr(
            model.engine.scheduler, "schedule", lambda: (next(collect, int)(), schedule())[1]
        )
    else:
        {"here": gc.collect, "there": lambda: elsewhere(gc.collect)}[where]()
    assert [piece.token_id for piece in model.stream(TEXT[5:])] == whole
    assert not model.engine.requests and not model._answers
    assert idle(model)


@pytest.mark.parametrize("seed", range(12))
def test_a_fault_at_any_call_boundary_of_a_step_costs_sampled_streams_no_token(seed):
    "The dice are thrown once for each token, whatever happens"
    dice, settings = random.Random(seed), {"temperature": 1.0, "max_tokens": 6}
    asks = [(TEXT, 1), (TEXT[5:], 2), (TEXT[:20], 3)]
    params = [SamplingParams(**settings, seed=number) for _, number in asks]
    whole = [list(llm().stream(text, one)) for (text, _), one in zip(asks, params, strict=True)]
    model = llm(num_blocks=20)
    streams = [model.stream(text, one) for (text, _), one in zip(asks, params, strict=True)]
    got = [[next(stream)] for stream in streams]

    def watch(frame, event, arg):
        nonlocal countdown
        if event in ("call", "return"):
            countdown -= 1
            if not countdown:
                raise MemoryError

    while model.engine.requests:
        countdown = dice.randrange(1, 6000)
        sys.setprofile(watch)
        try:
            model.engine.step()
        except MemoryError:
            pass
        finally:
            sys.setprofile(None)
        check(model.manager)
    for pieces, stream, expected in zip(got, streams, whole, strict=True):
        assert [*pieces, *stream] == expected
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


BROKEN = [torch.nan, torch.inf, -torch.inf]


@pytest.mark.parametrize("tier", ["device", "host"])
@pytest.mark.parametrize("part", ["K", "V"])
@pytest.mark.parametrize("value", BROKEN)
@pytest.mark.parametrize("index", [0, 1, -1])
def test_corrupt_kv_ends_whoever_reads_it_once_and_nobody_else(tier, part, value, index):
    "36 variants: in K or V, of the first, a middle or the last block, on device or host"
    model, tenant = llm(num_host_blocks=64), ("salt", "x")
    (whole,) = model.generate([TEXT])
    model.generate([TEXT], namespace=tenant)
    prompt, store = TOKENIZER.encode(TEXT), model.engine.runner.store
    if tier == "host":
        model.manager.evict(64)
        model.engine.step()
    found = model.manager.tree.find(as_tokens(prompt), (len(prompt) - 1) // 4, tenant)
    data = store.data if tier == "device" else store.host
    data["KV".index(part), :, found.block_ids[index]] = value
    good = model.stream(TEXT)
    pieces = [next(good)]
    bad = model.generate([TEXT, TEXT], namespace=tenant)
    assert [(output.finish_reason, output.token_ids) for output in bad] == [("error", [])] * 2
    assert f"after {whole.num_prompt_tokens} prompt tokens" in bad[0].error
    assert model.manager.stats().quarantined_blocks == 1
    (again,) = model.generate([TEXT], namespace=tenant)
    num_above = range(len(found.block_ids))[index]
    assert (again.token_ids, again.num_cached_tokens) == (whole.token_ids, 4 * num_above)
    assert [piece.token_id for piece in [*pieces, *good]] == whole.token_ids
    assert idle(model)


def test_corrupt_kv_under_a_stream_raises_and_the_next_one_is_right():
    model = llm()
    (whole,) = model.generate([TEXT])
    block = model.manager.peek(TOKENIZER.encode(TEXT))[1]
    model.engine.runner.store.data[:, :, block, 2] = torch.nan
    stream = model.stream(TEXT)
    with refused(LogitsError, "corrupt"):
        next(stream)
    assert [piece.token_id for piece in model.stream(TEXT)] == whole.token_ids
    assert idle(model)


def test_weights_that_give_no_finite_logits_cost_no_cached_block():
    model = llm()
    model.generate([TEXT])
    cached, forward = model.manager.tree.num_blocks, model.engine.runner.forward
    model.engine.runner.forward = lambda work: forward(work) * torch.nan
    (bad,) = model.generate([TEXT])
    assert (bad.finish_reason, model.manager.tree.num_blocks) == ("error", cached)
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
    with refused(ArgumentError, "no tokenizer"):
        model.stream([1], SamplingParams(stop=("x",)))


# ---- what a caller can get wrong


def short(value) -> str:
    return type(value).__name__ if repr(value).endswith(">") else repr(value)[:30]


GIVEN = {"prompts": [TEXT], "params": SamplingParams(max_tokens=3), "n": 1, "namespace": None}
WRONG = [
    *(
        ("prompts", value)
        for value in (b"text", None, 7, [1, TEXT], [{"role": "user"}], {1: TEXT}, iter([TEXT]))
    ),
    *(("params", value) for value in (None, 7, "greedy", {"max_tokens": 3}, [], SamplingParams)),
    *(("params", value) for value in ([None] * 2, [{"max_tokens": 3}] * 2, [SamplingParams()] * 3)),
    *(("n", value) for value in (0, -1, 1.0, True, "2", 2000, np.float64(2), np.True_)),
    *(("namespace", value) for value in ("x", 7, ("salt",), ("salt", 7), ["salt", "x"])),
    *(("progress", value) for value in (None, 1, "yes")),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=short)
def test_a_wrong_argument_raises_before_anything_is_added(name, value):
    "32 variants, and those of them that `stream` takes; one typed line names the value"
    model = llm()
    with pytest.raises((ConfigError, NamespaceError)) as caught:
        model.generate(**GIVEN | {"prompts": [TEXT, TEXT[3:]]} | {name: value})
    assert "\n" not in str(caught.value)
    if name in ("params", "namespace"):
        with pytest.raises((ConfigError, NamespaceError)):
            model.stream(TEXT, **{name: value})
    assert not model.engine.has_work
    assert idle(model)


SETTINGS = [
    *(("max_tokens", value) for value in (0, -1, 2.0, True, "3", None, np.float32(3), np.True_)),
    *(("top_k", value) for value in (0, -2, 2.0, True, "3", np.float32(3))),
    *(("seed", value) for value in (-1, 2**64, 1.0, True, "3", np.float32(3))),
]


@pytest.mark.parametrize(("name", "value"), SETTINGS, ids=short)
def test_a_wrong_setting_is_named(name, value):
    with refused(ConfigError, name):
        SamplingParams(**{name: value})


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int32, np.int64, np.uint64])
def test_numpys_integers_are_taken_wherever_ints_are(kind):
    model = llm()
    params = {"temperature": 1.0, "top_k": 5, "seed": 3, "max_tokens": 4}
    ours = model.generate([TEXT, [1, 2, 3]], SamplingParams(**params), n=2)
    kin = {name: kind(value) if type(value) is int else value for name, value in params.items()}
    prompts = [TEXT, np.array([1, 2, 3], kind)]
    theirs = model.generate(prompts, SamplingParams(**kin), n=kind(2))
    assert [o.token_ids for o in theirs] == [o.token_ids for o in ours]
    assert model.engine.add_request([kind(1), kind(2)], kind(2)).max_tokens == 2


# ---- more tokens than there is room for


@pytest.mark.parametrize(
    ("num_blocks", "num_prompt", "room"),
    [(100, 206, 50), (100, 250, 6), (100, 255, 1), (10, 1, 40), (10, 30, 11), (10, 40, 1)],
)
@pytest.mark.parametrize("over", [0, 1, 1000])
def test_max_tokens_is_a_limit_context_or_pool_may_end_the_answer_before(
    num_blocks, num_prompt, room, over
):
    "18 variants: the model's context is 256 tokens, the pool has 4 a block"
    model = llm(num_blocks=num_blocks)
    params = SamplingParams(max_tokens=room + over, ignore_eos=True)
    (output,) = model.generate([prompt(0, num_prompt)], params)
    assert (output.finish_reason, len(output.token_ids)) == ("length", room)
    assert output.is_cut is (over > 0)
    assert idle(model)


@pytest.mark.parametrize(("num_blocks", "num_prompt", "says"), [(100, 256, 256), (10, 41, 10)])
def test_only_a_prompt_that_leaves_no_room_for_a_token_is_refused(num_blocks, num_prompt, says):
    model = llm(num_blocks=num_blocks)
    bad, good = model.generate([prompt(0, num_prompt), [1]], SamplingParams(max_tokens=2))
    assert (bad.finish_reason, good.finish_reason) == ("rejected", "length")
    assert str(num_prompt) in bad.error and str(says) in bad.error
    with refused(RequestTooLargeError, num_prompt, says):
        next(model.stream(prompt(0, num_prompt)))


def test_a_folder_is_a_model_and_its_tokenizer(tmp_path):
    save_checkpoint(tmp_path, MODEL, **SIZES)
    VOCABULARY.save(str(tmp_path / "tokenizer.json"))
    (output,) = LLM(tmp_path).generate([TEXT])
    assert output.token_ids == llm().generate([TEXT])[0].token_ids


def test_progress_goes_to_stderr_where_that_is_a_terminal(capsys):
    llm().generate([TEXT])
    assert capsys.readouterr().out == capsys.readouterr().err == ""
