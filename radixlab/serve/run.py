"""Serving until a signal: bind, run, drain, exit.

    SIGTERM or SIGINT ─► /ready says 503, new requests get 503 ─► open requests finish, or are cut
    after the drain time ─► exit code 0

A second signal ends the process at once. If the engine's thread dies, open requests get an error,
`/health` turns 503 for a moment, and the process ends with one line and exit code 1.
"""

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from fastapi import FastAPI
from prometheus_client.registry import Collector

from radixlab.config import ConfigError
from radixlab.serve.async_llm import AsyncLLM
from radixlab.serve.backend import Backend
from radixlab.serve.connection import BoundedHttp
from radixlab.serve.mailbox import ShutdownError
from radixlab.serve.models import builder, publishing, threads
from radixlab.serve.server import create_app
from radixlab.serve.settings import Settings

TURN_S = 0.0005
"""Seconds after which a waiting thread gets the interpreter's lock from another one."""
LAST_WORDS_S = 1.0
"""Seconds in which a broken server still answers, so that its supervisor sees why it ends."""
CLOSING_S = 5
"""Seconds that connections get to read the rest of their answers when the server ends."""


class HttpServer(uvicorn.Server):
    """uvicorn, with our own way to end."""

    def __init__(self, app: FastAPI, llm: Backend, settings: Settings) -> None:
        config = uvicorn.Config(
            app,
            http=BoundedHttp,
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            lifespan="on",
            ws="none",
            timeout_graceful_shutdown=CLOSING_S,
        )
        super().__init__(config)
        self._llm = llm
        self._drain_s = settings.drain_timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_draining = False
        llm.changed.append(self._on_change)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Drain on the first signal; uvicorn would cut the keep-alive connections at once."""
        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._on_signal)
        yield

    def end_soon(self) -> None:
        """End from another thread, without waiting for open requests."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._cut)

    def _on_signal(self) -> None:
        if self._is_draining:
            self._cut()
            return
        self._is_draining = True
        self._llm.drain()
        asyncio.get_running_loop().call_later(self._drain_s, self._cut)
        self._on_change()

    def _on_change(self) -> None:
        """End when nothing is open any more, or soon after the engine has died."""
        if self._llm.state == "failed":
            asyncio.get_running_loop().call_later(LAST_WORDS_S, self._cut)
        elif self._is_draining and self._llm.num_open == 0:
            self.should_exit = True

    def _cut(self) -> None:
        self._llm.close_all(lambda: ShutdownError("the server is shutting down"))
        self.should_exit = True


@contextmanager
def short_turns() -> Iterator[None]:
    """Let the event loop interrupt the engine's thread sooner than Python does by default.

    Every byte that the loop sends gives up the interpreter's lock, and by default the engine's
    thread may then keep it for 5 ms: with 16 streams that would be 80 ms a step.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def listen(settings: Settings) -> list[socket.socket]:
    """Bind to the address; raise `ConfigError` if that is not possible."""
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family = found[0][0]
        return [socket.create_server((settings.host, settings.port), family=family, backlog=2048)]
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"
        ) from None


def run(
    settings: Settings, write_line: Callable[[str], object], say: Callable[[str], object]
) -> int:
    """Serve until a signal; return the exit code."""
    with publishing(settings) as listener, short_turns():
        llm = AsyncLLM(builder(settings), settings.max_queue, settings.max_unread_tokens, listener)
        return serve_until_signal(llm, settings, write_line, say, threads)


def serve_until_signal(
    llm: Backend,
    settings: Settings,
    write_line: Callable[[str], object],
    say: Callable[[str], object],
    details: Callable[[], str],
    collectors: Iterable[Collector] = (),
) -> int:
    """Serve what a backend answers; return the exit code. `details` stand in the first line."""
    sockets = listen(settings)
    server = HttpServer(create_app(llm, settings, write_line, collectors), llm, settings)
    host, port = sockets[0].getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    llm.changed.append(
        _once_ready(llm, lambda: say(f"ready: {settings.names[0]}{details()} on {url}"))
    )
    server.run(sockets)
    if llm.error is None:
        return 0
    error = " ".join(f"{type(llm.error).__name__}: {llm.error}".split())
    say(f"error: the engine has failed: {error}")
    return 1


def _once_ready(llm: Backend, say: Callable[[], object]) -> Callable[[], None]:
    told = False

    def on_change() -> None:
        nonlocal told
        if llm.state == "ready" and not told:
            told = True
            say()

    return on_change
