"""A run: requests sent at their times, or one after another by a number of clients.

This file knows a plan, a client and a ledger. Clock and sleep are handed in, so that a test can run
an hour in no time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from radixlab.load.client import Client
from radixlab.load.ledger import Ledger, Line
from radixlab.load.plan import Plan, Planned
from radixlab.workloads import Request

Sleep = Callable[[float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    duration_s: float
    was_interrupted: bool
    """By Ctrl-C; what was in flight is in the ledger as aborted."""


async def run(
    client: Client,
    plan: Plan,
    requests: Iterable[Request],
    ledger: Ledger,
    *,
    stop_after_s: float | None = None,
    on_line: Callable[[Line], object] = lambda line: None,
    sleep: Sleep = asyncio.sleep,
) -> Ended:
    """Send the requests; return when all are over, or aborted after `stop_after_s`."""
    sending = _Sending(client, plan, ledger, on_line, sleep)
    work = asyncio.ensure_future(sending.all(iter(plan.requests(iter(requests)))))
    timer = asyncio.ensure_future(sleep(stop_after_s)) if stop_after_s is not None else None
    was_interrupted = False
    try:
        await asyncio.wait([work, timer] if timer else [work], return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        was_interrupted = True
    for task in (work, timer):  # before the others: it would begin a request for each that ends
        if task is not None and not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    await sending.abort()
    if work.done() and not work.cancelled():
        work.result()  # raises what a broken plan raised
    return Ended(client.clock() - sending.start, was_interrupted)


class _Sending:
    """The requests in flight."""

    def __init__(
        self,
        client: Client,
        plan: Plan,
        ledger: Ledger,
        on_line: Callable[[Line], object],
        sleep: Sleep,
    ) -> None:
        self.start = client.clock()
        self._client, self._plan, self._ledger = client, plan, ledger
        self._on_line, self._sleep = on_line, sleep
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_turns: dict[str, asyncio.Task[None]] = {}

    async def all(self, planned: "Iterable[Planned]") -> None:
        """Send all, in an open or a closed loop, and wait for the answers."""
        slots = asyncio.Semaphore(self._plan.concurrency or 1)
        for each in planned:
            if each.due_s is None:
                await slots.acquire()
                self._begin(each).add_done_callback(lambda _: slots.release())
            else:
                await self._sleep_until(each.due_s)
                self._begin(each)
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def abort(self) -> None:
        """Abort all tasks; each request that was sent leaves its line in the ledger."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _sleep_until(self, due_s: float) -> None:
        left_s = due_s - (self._client.clock() - self.start)
        await self._sleep(max(0.0, left_s))  # also lets answers be read

    def _begin(self, planned: Planned) -> "asyncio.Task[None]":
        before = self._last_turns.get(planned.session or "")
        task = asyncio.ensure_future(self._one(planned, before))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if planned.session is not None:
            self._last_turns[planned.session] = task
        return task

    async def _one(self, planned: Planned, before: "asyncio.Task[None] | None") -> None:
        """Send one request, when the turn before it is over."""
        if before is not None:
            await asyncio.wait([before])
        line = await self._client.send(planned, self.start)
        self._ledger.write(line)
        self._on_line(line)
