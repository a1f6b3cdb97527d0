"""A server inside this process, for tests, lessons and exercises."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

from prometheus_client.registry import Collector

from radixlab.llm import LLM
from radixlab.serve.async_llm import AsyncLLM
from radixlab.serve.backend import Backend
from radixlab.serve.models import builder, publishing
from radixlab.serve.run import HttpServer, listen, short_turns
from radixlab.serve.server import create_app
from radixlab.serve.settings import Settings

T = TypeVar("T")
LOADING_S = 300.0
"""Seconds that a model may take to load."""


class ServingError(RuntimeError):
    """The server did not become ready."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    url: str
    """Such as `http://127.0.0.1:43210`; OpenAI's API is below `/v1`."""
    port: int
    llm: AsyncLLM

    def in_engine(self, function: Callable[[LLM], T]) -> T:
        """Call a function of the LLM in the engine's thread, between two steps."""
        return self.llm.call_soon(function).result()

    def in_loop(self, function: Callable[[], T]) -> T:
        """Call a function in the event loop's thread."""
        result: Future[T] = Future()
        self.llm.loop.call_soon_threadsafe(lambda: result.set_result(function()))
        return result.result()


@contextmanager
def serving(
    settings: Settings | None = None,
    *,
    build: Callable[[], LLM] | None = None,
    write_line: Callable[[str], object] | None = None,
) -> Iterator[Served]:
    """Serve in a thread on a free port of this machine, until the block ends.

    `build` makes the LLM, by default as the settings say. `write_line` gets each line of the access
    log. Raises what loading the model raised.
    """
    settings = replace(settings or Settings(), port=0)
    with publishing(settings) as listener, short_turns():
        llm = AsyncLLM(
            build or builder(settings), settings.max_queue, settings.max_unread_tokens, listener
        )
        with running(llm, settings, write_line) as port:
            yield Served(f"http://{settings.host}:{port}", port, llm)


@contextmanager
def running(
    llm: Backend,
    settings: Settings,
    write_line: Callable[[str], object] | None = None,
    collectors: Iterable[Collector] = (),
) -> Iterator[int]:
    """Serve what a backend answers in a thread until the block ends; yield the port."""
    sockets = listen(settings)
    port: int = sockets[0].getsockname()[1]
    app = create_app(llm, settings, write_line, collectors)
    server = HttpServer(app, llm, settings)
    thread = threading.Thread(target=server.run, args=(sockets,), name="server", daemon=True)
    thread.start()
    try:
        _wait(llm, thread)
        yield port
    finally:
        server.end_soon()
        thread.join()


def _wait(llm: Backend, thread: threading.Thread) -> None:
    deadline = time.monotonic() + LOADING_S
    while llm.state == "loading" and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    if llm.state != "ready":
        raise llm.error or ServingError(f"the server is {llm.state} after {LOADING_S:.0f} s")
