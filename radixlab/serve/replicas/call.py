"""One prompt's way to a replica and back, and once more to another one if the first one dies.

    ask ─► name of the replica ─► news … ─► over
     ▲                              │
     └──── it died, and nothing ◄───┘
           was passed on

A stream passes its news on from the first token. An answer that is sent as a whole is kept here
until it is over, so it can be asked for again until the end.

A replica that hangs is not dead yet. A prompt that it does not take within `TAKEN_S` is asked
elsewhere. One that it has taken waits until Ray's health check gives the replica up.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from radixlab.cache.tokens import TokenArray
from radixlab.serve.job import Job
from radixlab.serve.mailbox import EngineError, News, Part
from radixlab.serve.replicas.question import Question
from radixlab.serve.replicas.roster import Roster

MOST_TRIES = 2
"""How often a prompt may be taken: one that crashes engines must not crash all of them."""
TAKEN_S = 3.0
"""Seconds in which a replica must take a prompt: it says its name before it computes anything."""
Spell = Callable[[TokenArray], str | None]
"""Writes a prompt as text, for a router that compares texts."""


class HungError(Exception):
    """A replica has not taken a prompt in time."""


class Call:
    """Asks replicas for the answers of one job."""

    def __init__(
        self, job: Job, handle: Any, roster: Roster, num_resets: int, spell: Spell | None = None
    ) -> None:
        self._job, self._roster, self._num_resets = job, roster, num_resets
        self._spell = spell
        self._handle = handle.options(
            method_name="answer", stream=True, session_id=job.session or ""
        )
        self._kept: list[News] = []
        """News that were not passed on."""
        self._replica: str | None = None
        self._has_passed_on = False
        self._avoid: frozenset[str] = frozenset()
        """Replicas that have not taken this prompt in time."""

    async def news(self) -> AsyncIterator[list[News]]:
        """Yield news until all answers are over; raise `EngineError` if nobody can answer."""
        num_tries = 0
        while True:
            self._kept, self._replica = [], None
            try:
                async for news in self._ask():
                    yield news
                return
            except HungError as error:
                self._avoid |= {str(error)}
            except Exception as error:
                num_tries += 1
                self._note_death(error)
                if self._has_passed_on or num_tries == MOST_TRIES:
                    raise EngineError(self._said_of(error, num_tries)) from None
            self._roster.num_retries += 1

    async def _ask(self) -> AsyncIterator[list[News]]:
        question = self._question()
        response = self._handle.remote(question)
        is_over = False
        try:
            self._replica = await _taker(response, question)
            self._roster.took(self._replica, question.choice)
            async for item in response:
                if news := self._passed(item):
                    yield news
            is_over = True
        finally:
            if not is_over:
                response.cancel()
            question.ending.tell()
        if self._kept:
            yield self._kept

    def _passed(self, news: list[News]) -> list[News]:
        """Return what can be passed on now."""
        self._kept += news
        if not self._job.is_stream or not any(isinstance(each, Part) for each in self._kept):
            return []
        passed, self._kept, self._has_passed_on = self._kept, [], True
        return passed

    def _question(self) -> Question:
        job = self._job
        return Question(
            job.prompt,
            job.params,
            job.n,
            job.namespace,
            job.first_index,
            time.monotonic() - job.arrived,
            job.session,
            self._num_resets,
            self._spell(job.prompt) if self._spell else None,
            self._avoid,
        )

    def _note_death(self, error: Exception) -> None:
        if self._replica is not None and type(error).__name__ == "ActorDiedError":
            self._roster.died(self._replica)

    def _said_of(self, error: Exception, num_tries: int) -> str:
        what = "in the middle of the answer" if self._has_passed_on else f"{num_tries} times"
        kind = type(error).__name__.partition("(")[0]
        return f"the replica that answered has failed {what} ({kind})"


async def _taker(response: Any, question: Question) -> str:
    """Return the name of the replica that takes the prompt; it is the first item of its answer.

    Raises `HungError` if the chosen replica says nothing in time. There is no limit while no
    replica is chosen: the server may wait for one to start.
    """
    first = asyncio.ensure_future(anext(response))
    first.add_done_callback(_read)  # else asyncio would complain of an error that nobody has read
    try:
        while True:
            left_s = TAKEN_S - question.waits_s()
            if (await asyncio.wait({first}, timeout=max(0.0, left_s)))[0]:
                return str(first.result())
            if question.waits_s() >= TAKEN_S:
                raise HungError(question.chosen)
    finally:
        first.cancel()


def _read(task: "asyncio.Future[Any]") -> None:
    """Take note of how a task has ended: Ray turns a cancellation into an error of its own."""
    if not task.cancelled():
        task.exception()
