"""An LLM for an event loop: many coroutines ask, one thread computes.

    event loop                               the engine's thread (`worker.py`)
    ----------                               ---------------------------------
    submit ─────────► orders (a queue) ────► ask
    mailboxes ◄── call_soon_threadsafe ◄──── the news of a step, in one call

Only the engine's thread touches the LLM, and only the event loop's thread touches mailboxes. When
the engine's thread dies of an exception, every open request ends with an `EngineError`, and so does
every later one.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

from radixlab.events import Emit
from radixlab.llm import LLM
from radixlab.serve.backend import WHY_NOT_READY, State, check_room, empty
from radixlab.serve.facts import Facts, facts_of
from radixlab.serve.job import Job
from radixlab.serve.mailbox import EndedError, EngineError, Mailbox
from radixlab.serve.snapshot import Snapshot
from radixlab.serve.turn import Turn
from radixlab.serve.worker import Told, Worker

T = TypeVar("T")


class AsyncLLM:
    """Answers prompts from an event loop.

    `build` makes the LLM; it is called in the engine's thread, which is the only one that may use
    it. `start` is called in the event loop. `listener` hears every event of the cache.
    """

    def __init__(
        self,
        build: Callable[[], LLM],
        max_queue: int = 256,
        max_unread_tokens: int = 1024,
        listener: Emit | None = None,
    ) -> None:
        self.state: State = "loading"
        self.error: BaseException | None = None
        """What the engine's thread died of."""
        self.changed: list[Callable[[], object]] = []
        """Called in the event loop when the state has changed."""
        self.max_queue = max_queue
        self.max_unread_tokens = max_unread_tokens
        self.num_waiting = 0
        """Answers that were asked for and have not begun."""
        self._num_sent = 0
        self._open: set[Mailbox] = set()
        """Requests that are not over."""
        self._facts: Facts | None = None
        self._turn = Turn()
        self.loop: asyncio.AbstractEventLoop
        self._worker = Worker(build, listener, self._on_load, self._on_news, self._on_death)

    def start(self) -> None:
        """Start the engine's thread, which loads the model."""
        self.loop = asyncio.get_running_loop()
        self._worker.thread.start()

    async def stop(self) -> None:
        """End the engine's thread, and wait for that; what still runs is lost."""
        try:
            self._worker.stop()
        except EngineError:
            return
        while self._worker.thread.is_alive():
            await asyncio.sleep(0.01)

    @property
    def facts(self) -> Facts:
        """What never changes: the tokenizer and the sizes. Raises `EngineError` while loading."""
        if self._facts is None:
            raise EngineError(WHY_NOT_READY[self.state])
        return self._facts

    @property
    def why_not_ready(self) -> str | None:
        """What keeps the server from answering now; None if nothing does."""
        if self.state != "ready":
            return WHY_NOT_READY[self.state]
        is_full = self.num_waiting >= self.max_queue
        return f"the queue is full: {self.num_waiting} answers wait" if is_full else None

    @property
    def num_open(self) -> int:
        """HTTP requests that are not over."""
        return len(self._open)

    @property
    def snapshot(self) -> Snapshot:
        """The numbers after the last step."""
        return self._worker.snapshot

    @property
    def num_requests_waiting(self) -> int:
        """Answers that wait, in the queue to the engine or in the engine's own."""
        return self.snapshot.num_waiting + self._num_sent - self._worker.num_taken

    def mailbox(self) -> Mailbox:
        """Return a mailbox for one HTTP request."""
        return Mailbox(self.max_unread_tokens, [self._on_close])

    def submit(self, jobs: list[Job]) -> None:
        """Send the prompts of one HTTP request to the engine.

        Raises what `check_room` raises.
        """
        num_new = sum(job.n for job in jobs)
        check_room(self.state, self.num_waiting, num_new, self.max_queue)
        self._worker.ask(jobs)
        self._num_sent += num_new
        self.num_waiting += num_new
        self._open.add(jobs[0].mailbox)

    def forget(self, mailbox: Mailbox) -> None:
        """Take note that a request is over."""
        self._open.discard(mailbox)
        self._tell_of_change()

    async def refresh(self) -> None:
        """Do nothing: the numbers are renewed after every step."""

    async def call_each(self, function: Callable[[LLM], T]) -> list[T]:
        """Call a function of the LLM in the engine's thread, between two steps."""
        return [await asyncio.wrap_future(self.call_soon(function))]

    async def reset(self) -> None:
        """Empty the cache; raise `CacheError` if answers run."""
        await self.call_each(empty)

    def call_soon(self, function: Callable[[LLM], T]) -> Future[T]:
        """Have a function called in the engine's thread; may be called in any thread."""
        return self._worker.call(function)

    def drain(self) -> None:
        """Refuse new requests from now on; those that are open go on."""
        if self.state in ("loading", "ready"):
            self._change("draining")

    def close_all(self, why: Callable[[], EndedError]) -> None:
        """End all open requests early."""
        for mailbox in list(self._open):
            mailbox.close(why())

    # ---- called from mailboxes and from the worker

    def _on_close(self, mailbox: Mailbox) -> None:
        with suppress(EngineError):  # then nothing is left to abort
            self._worker.abort(mailbox)

    def _on_load(self, llm: LLM) -> None:
        self._facts = facts_of(llm)
        self._post(self._change, "ready")

    def _on_news(self, told: Told, num_begun: int) -> None:
        self._turn.give()
        self._post(self._deliver, told, num_begun)
        self._turn.wait()

    def _on_death(self, error: BaseException | None) -> None:
        self.error = error
        self._post(self._change, "failed" if error else "stopped")

    def _post(self, function: Callable[..., object], *given: object) -> None:
        with suppress(RuntimeError):  # the event loop is closed: nobody waits for news
            self.loop.call_soon_threadsafe(function, *given)

    def _deliver(self, told: Told, num_begun: int) -> None:
        self.num_waiting -= num_begun
        for mailbox, news in told:
            mailbox.put(news)
        self.loop.call_soon(self._turn.end)  # after the routes that the news have woken

    def _change(self, state: State) -> None:
        if state == "ready" and self.state != "loading":
            return  # it is to stop already
        self.state = state
        if state in ("failed", "stopped"):
            self.close_all(lambda: EngineError(WHY_NOT_READY[state]))
        self._tell_of_change()

    def _tell_of_change(self) -> None:
        for function in [*self.changed]:
            function()
