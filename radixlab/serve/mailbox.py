"""Where a route waits for the news of its request, in the event loop's thread.

    engine's thread ─► call_soon_threadsafe ─► put ─► [ unread parts ] ─► get ─► route

A mailbox has bounded memory. A client that reads more slowly than the engine computes is not
waited for, because it would hold its blocks while others queue: when too many tokens are unread,
the request ends (`TooSlowError`). This file does not know HTTP or engines.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from radixlab.events import MissReason
from radixlab.model.logprobs import Logprob
from radixlab.sched import FinishReason


class EndedError(Exception):
    """A request ended before its answers did; no more news follows."""


class GoneError(EndedError):
    """The client closed the connection."""


class TimedOutError(EndedError):
    """The request took longer than the server allows."""


class ShutdownError(EndedError):
    """The server stops, and the time for running requests is over."""


class TooSlowError(EndedError):
    """The client did not read what was computed for it."""


class RejectedError(EndedError):
    """The engine cannot serve the prompt; the message says why."""


class EngineError(EndedError):
    """The engine's thread has died."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A prompt was admitted: what its answers need not compute again."""

    first_index: int
    """The index of the prompt's first answer."""
    num_cached_tokens: int
    miss_reason: MissReason | None
    queue_s: float


@dataclass(slots=True)
class Part:
    """The new part of one answer. It is not frozen, because there is one for every token."""

    index: int
    token_ids: list[int]
    text: str
    finish_reason: FinishReason | None = None
    """None if more follows."""
    stop_reason: str | int | None = None
    """The stop string or token that ended the answer."""
    error: str | None = None
    """Why the answer ended with "error"."""
    logprobs: list[Logprob] | None = None
    """One for each token, if asked for."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine cannot serve a prompt."""

    why: str


News = Begun | Part | Refused


@dataclass(eq=False, slots=True)
class Mailbox:
    """The unread news of one HTTP request, whose answers may be several."""

    most_unread: int
    """Unread tokens that are kept."""
    on_close: list[Callable[["Mailbox"], object]]
    """Called once when the request ends early."""
    ended_by: EndedError | None = None
    _news: list[News] = field(default_factory=list)
    _num_unread: int = 0
    _waiter: asyncio.Future[None] | None = None

    def put(self, news: Iterable[News]) -> None:
        """Add news; drop it if the request has ended."""
        if self.ended_by:
            return
        for each in news:
            if isinstance(each, Refused):
                self.close(RejectedError(each.why))
                return
            self._news.append(each)
            self._num_unread += len(each.token_ids) if isinstance(each, Part) else 0
        if self._num_unread > self.most_unread:
            self.close(TooSlowError(f"the client left {self._num_unread} tokens unread"))
        self._wake()

    def close(self, why: EndedError) -> None:
        """End the request; a second call does nothing. News that came before can still be read."""
        if self.ended_by is None:
            self.ended_by = why
            for function in self.on_close:
                function(self)
            self._wake()

    async def get(self) -> list[News]:
        """Wait for news and return all of it; raise an `EndedError` once the request has ended."""
        while not self._news:
            if self.ended_by:
                raise self.ended_by
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        news, self._news, self._num_unread = self._news, [], 0
        return news

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)
