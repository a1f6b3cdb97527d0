"""The engine's thread: it alone touches the LLM.

    orders (a queue) ─► obey all ─► one step ─► snapshot ─► tell the event loop

While there is nothing to compute, the thread sleeps in the queue. An exception in a step, or in an
order of ours, ends the thread, and `on_death` hears of it. An exception in a function that was
given to `call` goes to its caller instead.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from radixlab.config import ConfigError
from radixlab.events import Emit
from radixlab.llm import BAD_PROMPT, LLM
from radixlab.observe import attach
from radixlab.serve.counting import EventCounter
from radixlab.serve.job import Job, ask
from radixlab.serve.mailbox import EngineError, Mailbox, News, Refused
from radixlab.serve.snapshot import Snapshot, take_snapshot
from radixlab.serve.timing import Timing

T = TypeVar("T")
PUBLISH_S = 0.1
"""Seconds after which the numbers of the last snapshot are renewed while answers merely grow."""
Told = list[tuple[Mailbox, list[News]]]


@dataclass(frozen=True, slots=True)
class Order:
    """What the engine's thread shall do between two steps."""

    run: Callable[[LLM], object]
    result: "Future[Any] | None" = None
    """Gets the result, or the exception, which then is the caller's; None for an order of ours."""

    def obey(self, llm: LLM) -> None:
        """Run it, and deliver its result."""
        if self.result is None:
            self.run(llm)
            return
        try:
            self.result.set_result(self.run(llm))
        except Exception as error:
            self.result.set_exception(error)


class Worker:
    """Runs an LLM in a thread of its own.

    Parameters
    ----------
    build
        Makes the LLM, in the thread.
    listener
        Hears every event of the cache, if there is one.
    on_load
        Called in the thread with the LLM.
    tell
        Called in the thread with the news of a step, and the number of answers that have begun.
    on_death
        Called in the thread with the exception that ends it, or None if it was asked to end.
    """

    def __init__(
        self,
        build: Callable[[], LLM],
        listener: Emit | None,
        on_load: Callable[[LLM], None],
        tell: Callable[[Told, int], None],
        on_death: Callable[[BaseException | None], None],
    ) -> None:
        self.snapshot = Snapshot()
        """The engine in numbers, at most `PUBLISH_S` older than the last step."""
        self.num_taken = 0
        """Answers that the engine knows or has known."""
        self._build, self._listener = build, listener
        self._on_load, self._tell, self._on_death = on_load, tell, on_death
        self._orders: SimpleQueue[Order | None] = SimpleQueue()
        self._jobs: list[Job] = []
        """Unfinished prompts."""
        self._told: Told = []
        """News that the event loop does not have yet."""
        self._num_begun = 0
        """Answers that have left the queue since the event loop was last told."""
        self._timing = Timing()
        self._has_changed = False
        """Whether requests have come, begun or ended since the last snapshot."""
        self._published = 0.0
        """When the last snapshot was taken, by `time.monotonic`."""
        self._events: EventCounter
        self._lock = threading.Lock()
        self._is_dead = False
        self.thread = threading.Thread(target=self._live, name="engine", daemon=True)

    # ---- from other threads

    def ask(self, jobs: list[Job]) -> None:
        """Have the engine answer the prompts of one HTTP request."""
        self._put(Order(lambda llm: self._ask(llm, jobs)))

    def abort(self, mailbox: Mailbox) -> None:
        """Have the engine abort what still runs of an HTTP request."""
        self._put(Order(lambda llm: self._abort(llm, mailbox)))

    def call(self, function: Callable[[LLM], T]) -> "Future[T]":
        """Have a function called between two steps."""
        result: Future[T] = Future()
        self._put(Order(function, result))
        return result

    def stop(self) -> None:
        """End the thread after the step that it computes now."""
        self._put(None)

    def _put(self, order: Order | None) -> None:
        with self._lock:
            if self._is_dead:
                raise EngineError("the engine has stopped")
            self._orders.put(order)

    # ---- the thread

    def _live(self) -> None:
        error: BaseException | None = None
        try:
            llm = self._build()
            config = llm.manager.config
            self._events = EventCounter(config.block_size, config.num_host_blocks > 0)
            attach(llm.manager, self._events)
            if self._listener:
                attach(llm.manager, self._listener)
            self._publish(llm, time.monotonic())
            self._on_load(llm)
            while self._obey(llm):
                self._advance(llm)
        except BaseException as death:
            error = death
        self._die(error)

    def _obey(self, llm: LLM) -> bool:
        """Obey all orders; wait for one if there is nothing else to do. False asks for the end."""
        order = None
        with suppress(Empty):
            order = self._orders.get(block=not llm.engine.has_work)
            while order is not None:
                order.obey(llm)
                self._has_changed = True
                order = self._orders.get_nowait()
            return False
        return True

    def _advance(self, llm: LLM) -> None:
        """Compute one step, if there is work, and tell what is new."""
        began = time.monotonic()
        if llm.engine.has_work:
            llm.step()
        now = time.monotonic()
        for job in self._jobs:
            if news := job.read(self._timing, began, now):
                self._told.append((job.mailbox, news))
            num_begun = job.leaves_queue()
            self._num_begun += num_begun
            self._has_changed |= num_begun > 0 or job.is_over
        if self._has_changed:
            self._jobs = [job for job in self._jobs if not job.is_over]
        if self._has_changed or not llm.engine.has_work or now > self._published + PUBLISH_S:
            self._publish(llm, now)
        if self._told or self._num_begun:
            told, num_begun = self._told, self._num_begun
            self._told, self._num_begun = [], 0
            self._tell(told, num_begun)

    def _publish(self, llm: LLM, now: float) -> None:
        self._has_changed, self._published = False, now
        self.snapshot = take_snapshot(llm.engine, self._events.counts, self._timing)

    def _die(self, error: BaseException | None) -> None:
        with self._lock:
            self._is_dead = True
        with suppress(Empty):
            while True:
                order = self._orders.get_nowait()
                if order and order.result:
                    order.result.set_exception(EngineError("the engine has stopped"))
        self._on_death(error)

    # ---- orders

    def _ask(self, llm: LLM, jobs: list[Job]) -> None:
        """Add the prompts; if one is refused, none is answered."""
        mailbox = jobs[0].mailbox
        self.num_taken += sum(job.n for job in jobs)
        for job in jobs:
            if mailbox.ended_by:  # the client left while this order waited
                self._num_begun += job.n
                continue
            try:
                job.answers = [*ask(llm, job)]
                self._jobs.append(job)
            except (*BAD_PROMPT, ConfigError) as error:
                self._told.append((mailbox, [Refused(str(error))]))
                self._num_begun += sum(each.n for each in jobs if not each.answers)
                self._abort(llm, mailbox)
                return

    def _abort(self, llm: LLM, mailbox: Mailbox) -> None:
        for job in self._jobs:
            if job.mailbox is mailbox:
                job.abort(llm, self._timing)
                self._num_begun += job.leaves_queue()
        self._jobs = [job for job in self._jobs if not job.is_over]
