"""A prompt's way to replicas, with a handle that answers as Ray's does: well, badly, or never."""

import asyncio
import gc
import pickle
import time

import numpy as np
import pytest

from radixlab.model.params import SamplingParams
from radixlab.serve.job import Job
from radixlab.serve.mailbox import EngineError, Mailbox, Part
from radixlab.serve.replicas import call
from radixlab.serve.replicas.call import Call
from radixlab.serve.replicas.question import Ending
from radixlab.serve.replicas.roster import Roster

LAST = Part(0, [2], "b", "length")


class Handle:
    """Three replicas; the first one whose name is not to be avoided is chosen, as a rule would."""

    def __init__(self, deeds, tells=True):
        self.deeds, self.tells, self.asked = deeds, tells, []
        self.ended = []

    def options(self, **options):
        return self

    def remote(self, question):
        able = [name for name in self.deeds if name not in question.avoid]
        name = able[0] if able else next(iter(self.deeds))
        self.asked.append(name)
        question.ending.then(lambda: self.ended.append(name))
        deed = self.deeds[name]
        if deed is slow:
            deed = answers if name in question.avoid else hangs
        if self.tells and name not in question.avoid:
            question.chosen, question.chosen_at = name, time.monotonic()
        return Response(deed(name))


class Response:
    """A stream that can be cancelled, like Ray's."""

    def __init__(self, items):
        self.items = items

    def __aiter__(self):
        return self

    def __anext__(self):
        return anext(self.items)

    def cancel(self):
        pass


async def answers(name):
    yield name
    yield [LAST]


async def hangs(name):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise RuntimeError("cancelled") from None  # as Ray says it
    yield name


async def late(name):
    await asyncio.sleep(0.2)
    yield name
    yield [LAST]


async def slow(name):
    """Take it later than is allowed; when nobody is left to ask, there is no limit."""
    yield name


async def dies(name):
    yield name
    raise type("ActorDiedError", (Exception,), {"__module__": "ray.exceptions"})(name)


async def dies_at_once(name):
    raise type("ActorDiedError", (Exception,), {"__module__": "ray.exceptions"})(name)
    yield name


CASES = {  # what the replicas do; who is asked, and the word of the error if there is one
    "well": ([answers], ["a"], None),
    "one hangs": ([hangs, answers], ["a", "b"], None),
    "two hang": ([hangs, hangs, answers], ["a", "b", "c"], None),
    "one hangs, one dies": ([hangs, dies, answers], ["a", "b", "b"], "2 times"),
    "all are slow": ([slow, slow, slow], ["a", "b", "c", "a"], None),
    "one dies before it takes it": ([dies_at_once], ["a", "a"], "2 times"),
}


def ask(handle, monkeypatch, is_stream=False):
    monkeypatch.setattr(call, "TAKEN_S", 0.05)
    mailbox, roster = Mailbox(99, []), Roster()
    job = Job(np.arange(3, dtype=np.int32), SamplingParams(), 1, None, 0, mailbox,
              time.monotonic(), is_stream=is_stream)  # fmt: skip

    async def run():
        complaints = []
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, about: complaints.append(about)
        )
        found = [news async for news in Call(job, handle, roster, 0).news()]
        await asyncio.sleep(0)  # for what was cancelled
        gc.collect()
        return found, complaints

    found, complaints = asyncio.run(asyncio.wait_for(run(), 60))
    assert not complaints
    return found, roster


@pytest.mark.parametrize("is_stream", [True, False])
@pytest.mark.parametrize(("deeds", "asked", "error"), CASES.values(), ids=CASES)
def test_a_prompt_that_is_not_taken_is_asked_elsewhere(deeds, asked, error, is_stream, monkeypatch):
    handle = Handle(dict(zip("abc", deeds, strict=False)))
    if error:
        with pytest.raises(EngineError, match=error):
            ask(handle, monkeypatch, is_stream)
    else:
        news, roster = ask(handle, monkeypatch, is_stream)
        assert news == [[LAST]] and roster.num_retries == len(asked) - 1
    assert handle.asked == handle.ended == asked


@pytest.mark.parametrize("deed", [hangs, late, dies_at_once])
@pytest.mark.parametrize("num_steps", range(6))
def test_whoever_leaves_is_told_to_the_router_once(deed, num_steps):
    handle = Handle({"a": deed}, tells=False)
    job = Job(np.arange(3, dtype=np.int32), SamplingParams(), 1, None, 0, Mailbox(99, []),
              time.monotonic(), is_stream=True)  # fmt: skip

    async def client():
        return [news async for news in Call(job, handle, Roster(), 0).news()]

    async def run():
        task = asyncio.ensure_future(client())
        for _ in range(num_steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        gc.collect()

    asyncio.run(asyncio.wait_for(run(), 60))
    assert handle.ended == handle.asked


def test_an_ending_is_told_to_who_comes_late_and_stays_in_its_process():
    ending, told = Ending(), []
    ending.then(lambda: told.append("early"))
    assert not told and pickle.loads(pickle.dumps(ending)) is not ending
    ending.tell()
    ending.then(lambda: told.append("late"))
    assert told == ["early", "late"]


def test_nobody_is_hurried_where_no_replica_is_chosen(monkeypatch):
    handle = Handle({"a": late}, tells=False)
    assert ask(handle, monkeypatch)[0] == [[LAST]] and handle.asked == ["a"]
