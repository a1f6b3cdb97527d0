"""What runs in each replica's process: one engine, its cache, and the publisher of its KV events.

Ray Serve makes a `Replica` in a process of its own and calls its methods. If the engine's thread
dies, the process ends, as a single server's does: then Ray starts another one, and whoever waited
for this one hears of it at once.
"""

import asyncio
import os
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ray import serve

from radixlab.llm import LLM
from radixlab.serve.async_llm import AsyncLLM
from radixlab.serve.facts import Facts
from radixlab.serve.job import Job
from radixlab.serve.mailbox import GoneError, News, Refused, RejectedError
from radixlab.serve.models import builder, publishing
from radixlab.serve.replicas.question import Question
from radixlab.serve.run import short_turns
from radixlab.serve.settings import Settings
from radixlab.serve.snapshot import Snapshot

T = TypeVar("T")
ANY_PORT = "tcp://127.0.0.1:0"
UNBOUNDED = 2**62
"""The front bounds queues and unread tokens; a replica takes what it gets."""
LOADING_S = 300.0
"""Seconds that a model may take to load."""


@dataclass(frozen=True, slots=True)
class Look:
    """A replica in numbers."""

    replica: str
    snapshot: Snapshot
    pid: int


class Replica:
    """One engine behind Ray Serve; `build` makes its LLM, by default as the settings say."""

    async def __init__(  # type: ignore[misc]  # Ray Serve awaits it
        self, settings: Settings, build: Callable[[], LLM] | None = None
    ) -> None:
        self._end = ExitStack()
        alone = replace(settings, replicas=1, router=None, route_by=None)
        own = replace(alone, kv_events=ANY_PORT, kv_events_replay=ANY_PORT)
        publisher: Any = self._end.enter_context(publishing(own))
        self._end.enter_context(short_turns())
        self._name = str(serve.get_replica_context().replica_id.unique_id)
        self._llm = AsyncLLM(build or builder(settings), UNBOUNDED, UNBOUNDED, publisher)
        self._llm.start()
        await self._loaded()
        self._llm.changed.append(self._on_change)
        facts = self._llm.facts
        self._metadata = {
            "kv_events": publisher.endpoint,
            "kv_events_replay": publisher.replay_endpoint,
            "block_size": facts.block_size,
            "num_blocks": facts.num_blocks,
            "num_host_blocks": (await self._llm.call_each(_num_host_blocks))[0],
        }

    async def _loaded(self) -> None:
        deadline = time.monotonic() + LOADING_S
        while self._llm.state == "loading" and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        if self._llm.state != "ready":
            raise self._llm.error or TimeoutError(f"the model was not loaded in {LOADING_S:g} s")

    def _on_change(self) -> None:
        if self._llm.state == "failed":
            error = self._llm.error
            traceback.print_tb(error.__traceback__ if error else None)
            os._exit(1)

    # ---- for Ray

    def record_replica_metadata(self) -> dict[str, Any]:
        """Tell the routers where this replica publishes what its cache holds."""
        return self._metadata

    # ---- for the front

    async def answer(self, question: Question) -> AsyncIterator[str | list[News]]:
        """Yield this replica's name, and then the news of the answers until they are over."""
        mailbox = self._llm.mailbox()
        job = Job(
            question.tokens,
            question.params,
            question.n,
            question.namespace,
            question.first_index,
            mailbox,
            time.monotonic() - question.waited_s,
        )
        self._llm.submit([job])
        num_left = question.n
        try:
            yield self._name
            while num_left:
                news = await mailbox.get()
                num_left -= sum(getattr(each, "finish_reason", None) is not None for each in news)
                yield news
        except RejectedError as error:
            num_left = 0
            yield [Refused(str(error))]
        finally:
            if num_left:
                mailbox.close(GoneError("the front has left"))
            self._llm.forget(mailbox)

    async def look(self) -> Look:
        """Return the engine's numbers."""
        return Look(self._name, self._llm.snapshot, os.getpid())

    async def facts(self) -> Facts:
        """Return the sizes; the front has its own tokenizer."""
        return replace(self._llm.facts, tokenizer=None)

    async def call(self, function: Callable[[LLM], T]) -> T | Exception:
        """Call a function of the LLM between two steps; return what it returns or raises."""
        try:
            return (await self._llm.call_each(function))[0]
        except Exception as error:
            return error


def _num_host_blocks(llm: LLM) -> int:
    return llm.manager.config.num_host_blocks
