"""The front: to the HTTP server it looks like one engine, and replicas make its answers.

    submit ─► one task for each prompt ─► handle.answer(question) ─► news ─► mailbox

If a replica dies, its prompts are asked again elsewhere, as long as the client has seen nothing of
the answer. Otherwise the stream ends with an error. A prompt is asked twice at most, so
that a prompt that crashes engines does not crash all of them.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from radixlab.llm import LLM
from radixlab.serve.backend import WHY_NOT_READY, State, check_room, empty
from radixlab.serve.facts import Facts
from radixlab.serve.job import Job
from radixlab.serve.mailbox import EndedError, EngineError, Mailbox
from radixlab.serve.replicas.call import Call, Spell
from radixlab.serve.replicas.roster import Look, Roster
from radixlab.serve.snapshot import Snapshot

T = TypeVar("T")
LOOK_S = 5.0
"""Seconds that replicas get to report their numbers; the last report of a slower one counts."""
WATCH_S = 2.0
"""Seconds between two requests for these reports."""
CALL_S = 60.0
"""Seconds that replicas get for a function that operators have called."""


def is_dead(result: object) -> bool:
    """Whether a replica has not answered because it is gone."""
    return type(result).__name__ == "ActorDiedError"


def is_of_ray(error: Exception) -> bool:
    """Whether Ray has raised an error, and not an engine."""
    return type(error).__module__.partition(".")[0] == "ray"


class Replicas(Protocol):
    """A running cluster."""

    handle: Any

    @property
    def is_alive(self) -> bool:
        """Whether the processes that keep the replicas are there."""

    def switch(self, router: tuple[str, dict[str, Any]]) -> None:
        """Route by another class from now on."""

    def stop(self) -> None:
        """End the cluster and its replicas."""


class Front:
    """A `Backend` over several replicas.

    `open_cluster` starts them, and is called in a thread. `complete` adds to the facts of a replica
    what only this process has: the tokenizer.
    """

    def __init__(
        self,
        open_cluster: Callable[[], Replicas],
        complete: Callable[[Facts], Facts],
        max_queue: int = 256,
        max_unread_tokens: int = 1024,
    ) -> None:
        self.state: State = "loading"
        self.error: BaseException | None = None
        self.changed: list[Callable[[], object]] = []
        self.max_queue, self.max_unread_tokens = max_queue, max_unread_tokens
        self.num_waiting = 0
        """Answers that were asked for and have not begun."""
        self._not_begun: set[Job] = set()
        self.num_resets = 0
        self.spell: Spell | None = None
        """Writes prompts as texts, if the router needs texts."""
        self.roster = Roster()
        self.loop: asyncio.AbstractEventLoop
        self._open_cluster, self._complete = open_cluster, complete
        self._cluster: Replicas | None = None
        self._facts: Facts | None = None
        self._starting: asyncio.Task[None]
        self._watching: asyncio.Task[None] | None = None
        self._num_looks = self._num_seen = 0
        """Looks that have begun, and the last of them whose numbers count."""
        self._open: dict[Mailbox, list[asyncio.Task[None]]] = {}
        """The tasks of each request that is not over."""

    # ---- life

    def start(self) -> None:
        """Begin to start the replicas."""
        self.loop = asyncio.get_running_loop()
        self._starting = self.loop.create_task(self._start())

    async def _start(self) -> None:
        try:
            self._cluster = await asyncio.to_thread(self._open_cluster)
            facts = await self.handle.facts.remote()
            await self.refresh()
            self._facts = self._complete(facts)
        except Exception as error:
            if self.state == "loading":  # else nobody wants it any more
                self.error = error
                self._change("failed")
        else:
            self._change("ready" if self.state == "loading" else self.state)
            self._watching = self.loop.create_task(self._watch())

    async def _watch(self) -> None:
        """Look at the replicas now and then, so that `/ready` knows when all are gone, or back."""
        assert self._cluster is not None
        while self._cluster.is_alive:
            await asyncio.sleep(WATCH_S)
            with suppress(Exception):  # whatever went wrong, it is tried again
                await self.look()
        self.error = EngineError("a process of Ray's own has ended")
        self._change("failed")

    async def stop(self) -> None:
        """End all replicas, and those that still start."""
        self.drain()
        await self._starting
        if self._watching is not None:
            self._watching.cancel()
        self.close_all(lambda: EngineError(WHY_NOT_READY["stopped"]))
        if self._cluster is not None:
            await asyncio.to_thread(self._cluster.stop)
        if self.state != "failed":
            self._change("stopped")

    def drain(self) -> None:
        """Refuse new requests from now on; those that are open go on."""
        if self.state in ("loading", "ready"):
            self._change("draining")

    async def switch(self, router: tuple[str, dict[str, Any]]) -> None:
        """Route by another class from now on, with empty caches."""
        assert self._cluster is not None
        await asyncio.to_thread(self._cluster.switch, router)
        await self.reset()

    @property
    def handle(self) -> Any:
        """Ray Serve's handle of the replicas."""
        assert self._cluster is not None
        return self._cluster.handle

    @property
    def facts(self) -> Facts:
        """What never changes. Raises `EngineError` while the replicas start."""
        if self._facts is None:
            raise EngineError(WHY_NOT_READY[self.state])
        return self._facts

    @property
    def why_not_ready(self) -> str | None:
        """What keeps the server from answering now; None if nothing does."""
        if self.state != "ready":
            return WHY_NOT_READY[self.state]
        if not self.roster.number_of:
            return "no replica is alive"
        is_full = self.num_waiting >= self.max_queue
        return f"the queue is full: {self.num_waiting} answers wait" if is_full else None

    # ---- numbers

    @property
    def num_open(self) -> int:
        """HTTP requests that are not over."""
        return len(self._open)

    @property
    def snapshot(self) -> Snapshot:
        """The sum over all replicas, as they were seen last."""
        return self.roster.total()

    @property
    def num_requests_waiting(self) -> int:
        """Answers that wait, here or in a replica."""
        return self.num_waiting

    async def refresh(self) -> None:
        """Ask all replicas for their numbers; if nobody can be asked, the last ones stay."""
        with suppress(EngineError):
            await self.look()

    async def look(self) -> list[Look]:
        """Return the numbers of all replicas that tell them in time."""
        self._num_looks += 1
        number = self._num_looks
        try:
            looks = await self._broadcast("look", LOOK_S)
        except TimeoutError:
            return []  # the last numbers stay
        found = [each for each in looks if not isinstance(each, Exception)]
        are_all = len(found) == len(looks)
        if number > self._num_seen:  # else they are older than those that are known
            self._num_seen = number
            self.roster.saw({each.replica: each.snapshot for each in found}, are_all)
        return found

    async def call_each(self, function: Callable[[LLM], T]) -> list[T]:
        """Call a function of each replica's LLM between two steps."""
        try:
            results = await self._broadcast("call", CALL_S, function)
        except TimeoutError:
            raise EngineError(f"a replica did not answer within {CALL_S:g} s") from None
        for each in results:
            if isinstance(each, Exception):
                raise _no_answer(each) if is_of_ray(each) else each
        return results

    async def reset(self) -> None:
        """Empty all caches; a replica whose answers run keeps its own, and its error is raised."""
        self.num_resets += 1  # some may be empty even if one is not
        await self.call_each(empty)

    async def _broadcast(self, method: str, limit_s: float, *given: object) -> list[Any]:
        if self.state not in ("loading", "ready", "draining") or self._cluster is None:
            raise EngineError(WHY_NOT_READY[self.state])
        try:
            response = self.handle.broadcast(method, *given)
            results = await response.results_async(timeout_s=limit_s, return_exceptions=True)
        except TimeoutError:
            raise
        except Exception as error:
            if type(error).__name__ == "DeploymentUnavailableError":  # nobody is there
                return []
            raise _no_answer(error) if is_of_ray(error) else error from None
        return [each for each in results if not is_dead(each)]

    # ---- requests

    def mailbox(self) -> Mailbox:
        """Return a mailbox for one HTTP request."""
        return Mailbox(self.max_unread_tokens, [self._on_close])

    def submit(self, jobs: list[Job]) -> None:
        """Have the prompts of one HTTP request answered, each by the replica that suits it.

        Raises what `check_room` raises.
        """
        num_new = sum(job.n for job in jobs)
        check_room(self.state, self.num_waiting, num_new, self.max_queue)
        self.num_waiting += num_new
        self._not_begun.update(jobs)
        self._open[jobs[0].mailbox] = [self._begin(job) for job in jobs]

    def _begin(self, job: Job) -> asyncio.Task[None]:
        task = self.loop.create_task(self._serve(job))
        task.add_done_callback(lambda _: self._leaves_queue(job))
        return task

    def _leaves_queue(self, job: Job) -> None:
        """Count a prompt's answers as no longer waiting, once."""
        if job in self._not_begun:
            self._not_begun.discard(job)
            self.num_waiting -= job.n

    def forget(self, mailbox: Mailbox) -> None:
        """Take note that a request is over."""
        self._open.pop(mailbox, None)
        self._tell_of_change()

    def close_all(self, why: Callable[[], EndedError]) -> None:
        """End all open requests early."""
        for mailbox in list(self._open):
            mailbox.close(why())

    async def _serve(self, job: Job) -> None:
        call = Call(job, self.handle, self.roster, self.num_resets, self.spell)
        try:
            async for news in call.news():
                self._leaves_queue(job)
                job.mailbox.put(news)
        except EndedError as error:
            job.mailbox.close(error)
        except Exception as error:  # a fault of ours must not leave the client waiting
            job.mailbox.close(EngineError(f"the front failed: {type(error).__name__}"))
            raise

    def _on_close(self, mailbox: Mailbox) -> None:
        for task in self._open.get(mailbox, ()):
            task.cancel()

    def _change(self, state: State) -> None:
        self.state = state
        if state in ("failed", "stopped"):
            self.close_all(lambda: EngineError(WHY_NOT_READY[state]))
        self._tell_of_change()

    def _tell_of_change(self) -> None:
        for function in [*self.changed]:
            function()


def _no_answer(error: Exception) -> EngineError:
    kind = type(error).__name__.partition("(")[0]
    return EngineError(f"a replica could not be asked ({kind})")
