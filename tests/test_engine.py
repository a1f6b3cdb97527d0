"""The engine's door: what goes in, what comes out, and who may call."""

import threading

import numpy as np
import pytest

from radixlab.cache import CanaryError, NamespaceError, TokenError
from radixlab.config import ConfigError
from radixlab.engine import NewToken
from radixlab.model.counting import CountingRunner
from radixlab.sched import ArgumentError, RequestError, ThreadError
from tests.cache.helpers import refused, text
from tests.sched.helpers import Served


def test_an_answer_comes_token_by_token():
    served = Served()
    request = served.ask("ab.", max_tokens=3)
    answer = served.answer(request)
    assert [served.step() for _ in range(3)] == [
        [NewToken(request.id, token, reason)]
        for token, reason in zip(answer, (None, None, "length"), strict=True)
    ]
    assert request.output == answer
    assert served.step() == []


def test_the_end_of_text_ends_an_answer_unless_it_is_ignored():
    served = Served()
    end = served.answer(served.ask("ab.", max_tokens=9))[4]
    served = Served(eos_ids=[end])
    stopped = served.ask("ab.", max_tokens=9)
    going_on = served.ask("ab.", max_tokens=9, ignore_eos=True)
    served.run()
    assert (len(stopped.output), stopped.output[-1], stopped.finish_reason) == (5, end, "stop")
    assert (len(going_on.output), going_on.finish_reason) == (9, "length")


def test_the_next_turn_of_a_chat_finds_prompt_and_answer():
    "M11: all but the last token, which was never computed"
    served = Served()
    first = served.ask("ab..", max_tokens=7)
    served.run()
    second = served.ask([*text("ab.."), *first.output, 1, 2, 3])
    served.run()
    assert second.num_cached_tokens == 16


def test_hits_on_the_host_are_counted_apart():
    served = Served(6, num_host_blocks=20)
    served.serve("abcd", "wxyz")
    request = served.ask("abcd.")
    served.run()
    assert (request.num_cached_tokens, request.num_host_cached_tokens) == (16, 8)


def test_a_step_labels_the_events_of_the_cache():
    served = Served()
    served.step(3)
    assert served.manager.log.step == served.engine.stats().num_steps == 3


def test_the_numbers_add_up():
    served = Served(max_running=1)
    served.serve("abc")
    served.ask("abc.", max_tokens=2)
    served.ask("x.", max_tokens=2)
    served.step()
    stats = served.engine.stats()
    assert (stats.num_waiting, stats.num_running, stats.num_finished) == (1, 1, 1)
    served.run()
    stats = served.engine.stats()
    assert (stats.prompt_tokens, stats.cached_tokens, stats.output_tokens) == (12 + 13 + 5, 12, 5)


@pytest.mark.parametrize(
    ("error", "says", "tokens", "more"),
    [
        (TokenError, "empty", [], {}),
        (TokenError, "position 2", [1, 2, 1000], {}),
        (TokenError, "position 0", [-1], {}),
        (TokenError, "1.5", [1.5], {}),
        (ConfigError, "max_tokens", [1], {"max_tokens": 0}),
        (NamespaceError, "'x'", [1], {"namespace": "x"}),
    ],
)
def test_a_bad_request_is_refused_and_the_others_are_served(error, says, tokens, more):
    served = Served()
    good = served.ask("ab")
    with refused(error, says):
        served.ask(tokens, **more)
    served.run()
    assert good.output == served.answer(good)
    served.verify_idle()


GOOD = {"tokens": [1, 2], "max_tokens": 2, "ignore_eos": False, "namespace": None, "sampler": 1}
KIN = [np.int8, np.uint8, np.int32, np.int64, np.uint64]
WRONG = [
    *(
        ("tokens", value)
        for value in (None, 7, "ab", [1.0], [True], [None], [[1]], {1: 2}, [2**40])
    ),
    *(("max_tokens", value) for value in (0, -1, 2.0, True, "2", None, [2], np.True_)),
    *(("max_tokens", value) for value in (np.float64(2), np.int64(0), np.array([2]))),
    *(("ignore_eos", value) for value in (0, 1, None, "yes")),
    *(("namespace", value) for value in ("x", 7, ("salt",), ("salt", 7), ["salt", "x"])),
    *(("sampler", value) for value in ("x", 1.5, [1])),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=repr)
def test_a_wrong_argument_of_a_request_is_refused_at_the_door(name, value):
    "32 variants: no later step of the others may fail for it"
    served = Served()
    good = served.ask("ab")
    with pytest.raises((TokenError, NamespaceError, ConfigError)) as caught:
        served.engine.add_request(**GOOD | {name: value})
    assert "\n" not in str(caught.value)
    assert list(served.engine.requests) == [good.id]
    served.run()
    served.verify_idle()


@pytest.mark.parametrize("kind", KIN)
def test_numpys_integers_are_ints(kind):
    served = Served()
    by_kin = served.engine.add_request([kind(1), kind(2)], kind(3), ignore_eos=np.False_)
    by_array = served.engine.add_request(np.array([1, 2], kind), 3)
    served.run()
    assert type(by_kin.max_tokens) is int
    assert by_kin.output == by_array.output == served.answer(by_kin)
    assert served.engine.abort(kind(7)) is False


@pytest.mark.parametrize("value", [None, 0, "0", [1, 2], NewToken(0, 1, None)], ids=repr)
def test_what_is_no_request_cannot_be_forked(value):
    served = Served()
    request = served.ask("ab")
    with refused(ArgumentError, "add_request"):
        served.engine.fork_request(value)
    with refused(ArgumentError, "sampler"):
        served.engine.fork_request(request, sampler="x")
    assert list(served.engine.requests) == [request.id]


@pytest.mark.parametrize("value", [None, "0", True, 0.0, [0]], ids=repr)
def test_what_is_no_id_is_not_looked_up(value):
    served = Served()
    served.ask("ab"), served.ask("xy")
    with refused(ArgumentError, "request_id"):
        served.engine.abort(value)
    assert len(served.engine.requests) == 2


def test_another_engines_request_cannot_be_forked():
    served, stranger = Served(), Served().ask("ab")
    served.ask("cd")
    with refused(RequestError, "cannot be forked"):
        served.engine.fork_request(stranger)


def test_a_call_from_another_thread_is_refused():
    "T3: one thread owns the engine"
    served = Served()
    served.ask("ab")
    caught = []

    def call(method):
        try:
            method()
        except ThreadError as error:
            caught.append(str(error))

    engine = served.engine
    calls = [engine.step, engine.stats, lambda: engine.abort(0), lambda: engine.add_request([1])]
    for method in calls:
        thread = threading.Thread(target=call, args=(method,), name="visitor")
        thread.start()
        thread.join()
    assert len(caught) == 4
    assert all("'visitor'" in message for message in caught)
    served.run()


def test_a_request_is_given_up_from_anywhere_by_the_next_step():
    served = Served()
    kept, dropped = served.ask("ab", max_tokens=3), served.ask("xy", max_tokens=9)
    served.step()
    thread = threading.Thread(target=served.engine.abort_soon, args=(dropped.id,))
    thread.start()
    thread.join()
    assert dropped.finish_reason is None
    assert [new.request_id for new in served.step()] == [kept.id]
    assert dropped.finish_reason == "abort"
    served.run()
    served.verify_idle()


@pytest.mark.parametrize("no_id", [[1], {}, None, "x", 1.5, True])
def test_what_is_no_id_is_refused_at_once_and_not_by_every_later_step(no_id):
    served = Served()
    request = served.ask("ab")
    with pytest.raises(ArgumentError, match="request_id"):
        served.engine.abort_soon(no_id)
    served.run()
    assert request.output == served.answer(request)


def test_the_stand_in_sees_a_block_that_is_not_what_it_was():
    "The canary's own test: one changed token in a cached block, and the next reader raises"
    served = Served()
    served.serve("abc")
    served.runner.canary.store.data[1, 2]["token"] += 1
    served.ask("abc.")
    with pytest.raises(CanaryError, match="position 6"):
        served.step()


class Torn(CountingRunner):
    """Has no score for whoever has token 666."""

    def forward(self, work):
        scores = super().forward(work)
        torn = [666 in item.sequence.token_ids[: item.end] for item in work]
        return np.where(torn, np.int32(-1), scores)


def torn(**scheduler):
    served = Served(**scheduler)
    served.engine.runner = Torn(served.manager.config)
    return served


def test_whose_scores_are_broken_ends_alone_and_leaves_nothing_broken_in_the_cache():
    "S5: one bad request never harms another"
    served = torn(max_batch_tokens=8, max_running=8)
    good = [served.ask("ab.", max_tokens=5), served.ask("cd.", max_tokens=5)]
    prompt = [*text("xyz"), 666, *text("z")]
    bad = served.ask(prompt, max_tokens=5)
    new = []
    while served.engine.has_work:
        new += served.step()
    assert [token for token in new if token.request_id == bad.id] == [
        NewToken(bad.id, None, "error")
    ]
    assert (bad.finish_reason, bad.output) == ("error", [])
    assert all(request.output == served.answer(request) for request in good)
    assert served.manager.peek(prompt).size == 2  # of the pieces before the broken one
    assert served.engine.stats().num_finished == 3
    served.verify_idle()


def test_forks_of_a_broken_prompt_end_by_their_own_error():
    served = torn()
    bad = served.ask([1, 666, 3], max_tokens=5)
    forks = [served.engine.fork_request(bad) for _ in range(2)]
    served.run()
    assert [request.finish_reason for request in (bad, *forks)] == ["error"] * 3
    served.verify_idle()


def test_an_answer_that_breaks_keeps_the_tokens_it_has():
    served = torn()
    prompt = text("ab")
    second = served.runner.next_token(np.array([*prompt, 665], np.int32))
    request = served.ask([*prompt, 665], max_tokens=5, sampler=666 - second)
    served.run()
    assert (request.output, request.finish_reason) == ([666], "error")
    assert served.manager.peek([*prompt, 665, 666]).size == 2
    served.verify_idle()


def test_a_forward_that_fails_can_be_tried_again(monkeypatch):
    served = Served()
    request = served.ask("ab.", max_tokens=3)
    served.step()
    with monkeypatch.context() as patch, pytest.raises(MemoryError):

        def fail(scores, samplers):
            raise MemoryError

        patch.setattr(served.runner, "choose", fail)
        served.engine.step()
    served.verify()
    served.run()
    assert request.output == served.answer(request)


@pytest.mark.parametrize("eos_ids", [7, "7", ["</s>"], [-1], [7.0]], ids=str)
def test_ids_that_end_no_answer_are_refused(eos_ids):
    with pytest.raises(ConfigError, match="eos_ids must be"):
        Served(eos_ids=eos_ids)
