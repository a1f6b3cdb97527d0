"""Replicas for one block of code, with HTTP and without: for measurements, lessons and tests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from radixlab.llm import LLM
from radixlab.serve.facts import Facts
from radixlab.serve.local import running
from radixlab.serve.replicas.cluster import start_cluster
from radixlab.serve.replicas.front import Front
from radixlab.serve.replicas.metrics import ReplicaMetrics
from radixlab.serve.replicas.run import front_of
from radixlab.serve.settings import Settings


@dataclass(frozen=True, slots=True)
class ServedReplicas:
    """A running server over replicas."""

    url: str
    front: Front


@contextmanager
def serving_replicas(
    settings: Settings, write_line: Callable[[str], object] | None = None
) -> Iterator[ServedReplicas]:
    """Serve in a thread on a free port of this machine, until the block ends."""
    settings = replace(settings, port=0)
    front = front_of(settings, lambda line: None)
    with running(front, settings, write_line, [ReplicaMetrics(front.roster)]) as port:
        yield ServedReplicas(f"http://{settings.host}:{port}", front)


@asynccontextmanager
async def fronting(
    settings: Settings,
    build: Callable[[], LLM] | None = None,
    router: tuple[str, dict[str, Any]] | None = None,
) -> AsyncIterator[Front]:
    """Start replicas, and yield the front that asks them; raise what starting them raised."""
    front = Front(lambda: start_cluster(settings, build, router), _as_it_is, 2**30, 2**30)
    front.start()
    try:
        while front.state == "loading":
            await asyncio.sleep(0.01)
        if front.error is not None:
            raise front.error
        yield front
    finally:
        await front.stop()


def _as_it_is(facts: Facts) -> Facts:
    return facts
