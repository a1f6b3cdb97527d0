"""A reader who does not read: what its request costs, and how it ends."""

import asyncio
import time

import pytest

from radixlab.serve import reply
from radixlab.serve.access_log import AccessLog, Entry
from radixlab.serve.job import Job
from radixlab.serve.mailbox import EndedError, Mailbox, Part, TimedOutError, TooSlowError
from radixlab.serve.reply import Reply
from radixlab.serve.shapes import CompletionShape


class Engine:
    """What a reply needs of an `AsyncLLM`: it takes jobs, and notes what is closed."""

    def __init__(self):
        self.closed, self.forgotten, self.jobs = [], [], []

    def submit(self, jobs):
        self.jobs += jobs

    def forget(self, mailbox):
        self.forgotten.append(mailbox)


async def life(feed, *, reads=True, most_unread=50, deadline_s=60.0, leaves=False):
    """Answer one stream, which `feed` fills; return the engine and what was sent."""
    engine, sent, gate = Engine(), [], asyncio.Event()
    mailbox = Mailbox(most_unread, [engine.closed.append])
    job = Job([1, 2], None, 1, None, 0, mailbox, time.monotonic())
    answer = Reply(
        engine,
        [job],
        CompletionShape("tiny", None),
        Entry("POST", "/", job.arrived),
        AccessLog(None),
        deadline=job.arrived + deadline_s,
        is_stream=True,
        has_usage=False,
    )

    async def send(message):
        sent.append(message)
        if not reads and len(sent) > 1:
            await gate.wait()

    async def receive():
        if leaves:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()

    task = asyncio.ensure_future(answer({"type": "http"}, receive, send))
    await asyncio.sleep(0)
    feed(mailbox)
    await asyncio.wait([task])
    assert engine.forgotten == [mailbox]
    return engine, sent, mailbox, task


def test_who_reads_gets_everything():
    def feed(mailbox):
        mailbox.put([Part(0, [1], "a"), Part(0, [2], "b", "stop")])

    engine, sent, _, task = asyncio.run(life(feed))
    body = b"".join(message.get("body", b"") for message in sent)
    assert body.endswith(b"data: [DONE]\n\n") and b'"text":"b"' in body
    assert not engine.closed and task.exception() is None


def test_who_does_not_read_is_ended_with_bounded_memory(monkeypatch):
    monkeypatch.setattr(reply, "STALL_S", 0.05)

    def feed(mailbox):
        mailbox.put([Part(0, [1], "a")])
        loop = asyncio.get_running_loop()
        for number in range(100):
            loop.call_later(0.01, mailbox.put, [Part(0, [number], "a")])

    engine, _, mailbox, _ = asyncio.run(life(feed, reads=False, most_unread=20))
    assert engine.closed == [mailbox] and isinstance(mailbox.ended_by, TooSlowError)
    assert len(mailbox._news) <= 21


def test_the_time_out_also_ends_who_does_not_read(monkeypatch):
    monkeypatch.setattr(reply, "STALL_S", 0.05)
    engine, _, mailbox, _ = asyncio.run(
        life(lambda mailbox: mailbox.put([Part(0, [1], "a")]), reads=False, deadline_s=0.05)
    )
    assert engine.closed == [mailbox] and isinstance(mailbox.ended_by, TimedOutError)


def test_who_leaves_ends_the_request():
    engine, sent, mailbox, task = asyncio.run(life(lambda mailbox: None, leaves=True))
    assert engine.closed == [mailbox] and sent == [] and task.exception() is None


def test_a_closed_mailbox_gives_what_came_before_and_takes_no_more():
    async def life():
        mailbox = Mailbox(10, [])
        mailbox.put([Part(0, [1], "a")])
        mailbox.close(TimedOutError("late"))
        mailbox.close(EndedError("later"))
        mailbox.put([Part(0, [2], "b")])
        assert [part.text for part in await mailbox.get()] == ["a"]
        with pytest.raises(TimedOutError, match="late"):
            await mailbox.get()

    asyncio.run(life())
