"""What the routes need of whoever answers: one engine in this process, or several replicas.

`AsyncLLM` is the engine's thread in this process. `replicas.front.Front` passes prompts on to
engines in other processes. The routes, the replies and the server know neither of the two.
"""

import asyncio
from collections.abc import Callable
from typing import Literal, Protocol, TypeVar

from radixlab.escape import count
from radixlab.llm import LLM
from radixlab.serve.facts import Facts
from radixlab.serve.job import Job
from radixlab.serve.mailbox import EndedError, EngineError, Mailbox
from radixlab.serve.snapshot import Snapshot

T = TypeVar("T")
State = Literal["loading", "ready", "draining", "failed", "stopped"]
WHY_NOT_READY: dict[State, str] = {
    "loading": "the model is loading",
    "draining": "the server is shutting down",
    "failed": "the engine has failed",
    "stopped": "the server has stopped",
}


def empty(llm: LLM) -> None:
    """Empty a cache."""
    llm.engine.reset()


class QueueFullError(Exception):
    """Too many answers wait already."""


def check_room(state: State, num_waiting: int, num_new: int, max_queue: int) -> None:
    """Raise `EngineError`, or `QueueFullError`, unless this many more answers may wait.

    A request that is larger than the whole queue is taken when nothing waits.
    """
    if state != "ready":
        raise EngineError(WHY_NOT_READY[state])
    if num_waiting and num_waiting + num_new > max_queue:
        raise QueueFullError(
            f"{count(num_waiting, 'answer waits', 'answers wait')}, at most {max_queue} may"
        )


class Backend(Protocol):
    """Answers prompts for an event loop."""

    state: State
    error: BaseException | None
    """What it died of."""
    changed: list[Callable[[], object]]
    """Called in the event loop when the state has changed."""
    loop: asyncio.AbstractEventLoop

    @property
    def facts(self) -> Facts:
        """What never changes; raises `EngineError` before the model is loaded."""

    @property
    def why_not_ready(self) -> str | None:
        """What keeps the server from answering now; None if nothing does."""

    @property
    def num_open(self) -> int:
        """HTTP requests that are not over."""

    @property
    def snapshot(self) -> Snapshot:
        """The numbers of the last look."""

    @property
    def num_requests_waiting(self) -> int:
        """Answers that wait."""

    def start(self) -> None:
        """Begin to load the model; called in the event loop."""

    async def stop(self) -> None:
        """End; what still runs is lost."""

    async def refresh(self) -> None:
        """Look at the numbers, unless they are up to date anyway."""

    def mailbox(self) -> Mailbox:
        """Return a mailbox for one HTTP request."""

    def submit(self, jobs: list[Job]) -> None:
        """Have the prompts of one HTTP request answered; raise an error of the queue or engine."""

    def forget(self, mailbox: Mailbox) -> None:
        """Take note that a request is over."""

    def drain(self) -> None:
        """Refuse new requests from now on; those that are open go on."""

    def close_all(self, why: Callable[[], EndedError]) -> None:
        """End all open requests early."""

    async def call_each(self, function: Callable[[LLM], T]) -> list[T]:
        """Call a function of each LLM in its engine's thread, between two steps."""

    async def reset(self) -> None:
        """Empty every cache; raise `CacheError` if answers run."""
