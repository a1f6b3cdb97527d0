"""A front with its replicas, without HTTP: for measurements, lessons and tests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from radixlab.llm import LLM
from radixlab.serve.facts import Facts
from radixlab.serve.replicas.cluster import start_cluster
from radixlab.serve.replicas.front import Front
from radixlab.serve.settings import Settings


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
