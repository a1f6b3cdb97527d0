"""One prompt's way to a replica and back, and once more to another one if the first one dies.

    ask ─► name of the replica ─► news … ─► over
     ▲                              │
     └──── it died, and nothing ◄───┘
           was passed on

A stream passes its news on from the first token. An answer that is sent as a whole is kept here
until it is over, so it can be asked for again until the end.
"""

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from radixlab.cache.tokens import TokenArray
from radixlab.serve.job import Job
from radixlab.serve.mailbox import EngineError, News, Part
from radixlab.serve.replicas.question import Question
from radixlab.serve.replicas.roster import Roster

MOST_TRIES = 2
Spell = Callable[[TokenArray], str | None]
"""Writes a prompt as text, for a router that compares texts."""


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

    async def news(self) -> AsyncIterator[list[News]]:
        """Yield news until all answers are over; raise `EngineError` if nobody can answer."""
        for attempt in range(1, MOST_TRIES + 1):
            self._kept, self._replica = [], None
            try:
                async for news in self._ask():
                    yield news
                return
            except Exception as error:
                self._note_death(error)
                if self._has_passed_on or attempt == MOST_TRIES:
                    raise EngineError(self._said_of(error, attempt)) from None
                self._roster.num_retries += 1

    async def _ask(self) -> AsyncIterator[list[News]]:
        question = self._question()
        response = self._handle.remote(question)
        is_over = False
        try:
            async for item in response:
                if isinstance(item, str):
                    self._replica = item
                    self._roster.took(item, question.choice)
                elif news := self._passed(item):
                    yield news
            is_over = True
        finally:
            if not is_over:
                response.cancel()
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
        )

    def _note_death(self, error: Exception) -> None:
        if self._replica is not None and type(error).__name__ == "ActorDiedError":
            self._roster.died(self._replica)

    def _said_of(self, error: Exception, num_tries: int) -> str:
        what = "in the middle of the answer" if self._has_passed_on else f"{num_tries} times"
        kind = type(error).__name__.partition("(")[0]
        return f"the replica that answered has failed {what} ({kind})"
