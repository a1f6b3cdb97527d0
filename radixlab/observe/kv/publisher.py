"""The publisher: tells routers what our cache holds, in a thread of its own.

The engine's thread only appends an event to a queue, and rings a bell if the publisher sleeps. The
thread turns events into KV events (`outgoing.py`), and sends what has gathered as one payload:

    PUB     (topic, sequence number as 8 bytes, big-endian, payload)
    ROUTER  a reader sends the first number that it wants, as 8 bytes; it gets what is still kept,
            each as (topic, number, payload), and at the end the number −1

A slow reader loses payloads, never the engine its time: it sees the gap in the numbers, and asks.
"""

import contextlib
import os
import socket
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable
from typing import Any

from radixlab.config import none_or_more, positive, shown
from radixlab.events import Event
from radixlab.observe.kv.errors import EndpointError, KVEventError
from radixlab.observe.kv.mirror import UnknownNodeError
from radixlab.observe.kv.outgoing import HEARD, Outgoing
from radixlab.observe.kv.wire import MAX_RANK, Cleared, WireEvent, encode
from radixlab.observe.snapshot import Cache, attach, snapshot
from radixlab.observe.state import State

try:
    import zmq
except ModuleNotFoundError as error:  # pragma: no cover  # tried from a wheel without extras
    from radixlab.extras import what_to_install

    raise ImportError(f"KV events need ZeroMQ: {what_to_install(error)}") from None

REPLAY_STEPS = 10_000
"""Payloads that are kept for replay, as vLLM does."""
MAX_QUEUED = 100_000
"""Most events that wait for the thread. If it falls behind so far, they are dropped, and readers
are told that the cache is empty; it is filled again by `begin`, or by a reset."""
MAX_EVENTS = 256
"""Most KV events in a payload."""
GATHER_S = 0.002
"""How long the thread lets events gather before it sends them."""
END = (-1).to_bytes(8, "big", signed=True)
"""The number that ends a replay."""


class Publisher:
    """A listener of a cache that publishes KV events; `close` ends it, and so does `with`.

    `endpoint` and `replay_endpoint` are bound: `tcp://*:5557`, or port 0 for any free one (then
    `endpoint` of the object names it). `block_size` is the cache's. `clock` gives a payload's time,
    in seconds. `publish` makes one for a cache that runs already.
    """

    def __init__(
        self,
        endpoint: str,
        replay_endpoint: str | None = None,
        topic: str = "",
        clock: Callable[[], float] = time.time,
        block_size: int = 16,
        rank: int = 0,
    ) -> None:
        self._out = Outgoing(positive("block_size", block_size))
        self._rank = none_or_more("rank", rank, MAX_RANK - 1)
        self._clock = clock
        if not isinstance(topic, str):
            raise KVEventError(f"topic must be a text, not {shown(topic)}")
        self._topic = topic.encode()
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=REPLAY_STEPS)
        self._queue: deque[Event | State] = deque()
        self.num_lost = 0
        """Events that were dropped, because the thread fell too far behind."""
        self.num_payloads = 0
        """The number of the next payload."""
        self._has_lost = self._asleep = self._closing = False
        self._fault: str | None = None
        context: zmq.Context[Any] = zmq.Context.instance()
        self._pub, self.endpoint = _bound(context.socket(zmq.PUB), endpoint)
        self._router = self.replay_endpoint = None
        if replay_endpoint is not None:
            try:
                made = _bound(context.socket(zmq.ROUTER), replay_endpoint)
            except EndpointError:
                self._pub.close(linger=0)
                raise
            self._router, self.replay_endpoint = made
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name="kv-events", daemon=True)
        self._thread.start()

    # ---- the engine's side

    def __call__(self, event: Event) -> None:
        """Hand an event over; return at once."""
        if type(event) not in HEARD or self._closing:
            return
        if len(self._queue) >= MAX_QUEUED:
            self._has_lost = True
            self.num_lost += 1
            return
        self._queue.append(event)
        if self._asleep:
            self._ring()

    def begin(self, state: State) -> None:
        """Publish that the cache is in this state, whatever was published before."""
        self._queue.append(state)
        self._ring()

    def close(self, timeout_s: float = 1.0) -> None:
        """Send what is queued, then close the sockets; a second call does nothing."""
        if self._closing:
            return
        self._closing = True
        self._ring()
        if self._pid == os.getpid():  # a forked child has no such thread
            self._thread.join(timeout_s)

    def __enter__(self) -> "Publisher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ring(self) -> None:
        self._asleep = False
        with contextlib.suppress(OSError):  # full: it rings already; closed: nobody is there
            self._bell.send(b"!")

    # ---- the thread's side

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._ear, zmq.POLLIN)
        if self._router is not None:
            poller.register(self._router, zmq.POLLIN)
        try:
            while not self._closing:
                self._asleep = not self._queue
                ready = dict(poller.poll(None if self._asleep and not self._queue else 0))
                if self._ear.fileno() in ready:
                    self._ear.recv(4096)
                if self._router in ready:
                    self._replay()
                if self._queue:
                    time.sleep(GATHER_S)
                    self._send_all()
            self._send_all()
        finally:
            for part in (self._pub, self._router):
                if part is not None:
                    part.close(linger=100)
            self._ear.close()
            self._bell.close()

    def _send_all(self) -> None:
        """Send what has gathered, in as few payloads as it needs."""
        events: list[WireEvent] = []
        for _ in range(len(self._queue)):
            events += self._translate(self._queue.popleft())
            while len(events) >= MAX_EVENTS:
                self._send(events[:MAX_EVENTS])
                del events[:MAX_EVENTS]
        if self._has_lost:
            self._has_lost = False
            events += self._start_over(f"{self.num_lost} events were lost: too many were queued")
        if events:
            self._send(events)

    def _translate(self, event: Event | State) -> list[WireEvent]:
        """Return an event's KV events. After a fault, only a reset or `begin` is heard."""
        try:
            if isinstance(event, State):
                self._fault = None
                return self._out.begin(event)
            if self._fault is not None and type(event).__name__ not in _FRESH:
                return []
            told = self._out.hear(event)
            self._fault = None
            return told
        except (UnknownNodeError, OverflowError, ValueError) as error:
            return self._start_over(str(error))

    def _start_over(self, why: str) -> list[WireEvent]:
        """Tell readers that the cache is empty, because it is not known what it holds."""
        self._fault = why
        warnings.warn(f"KV events: {why}; nothing is published now", RuntimeWarning, stacklevel=2)
        return [Cleared()]

    def _send(self, events: list[WireEvent]) -> None:
        number, self.num_payloads = self.num_payloads, self.num_payloads + 1
        payload = encode(self._clock(), events, self._rank)
        self._kept.append((number, payload))
        self._pub.send_multipart((self._topic, number.to_bytes(8, "big"), payload))

    def _replay(self) -> None:
        """Answer whoever asks for payloads."""
        assert self._router is not None
        frames = self._router.recv_multipart()
        if len(frames) != 3 or len(frames[2]) != 8:  # nothing that we answer
            return
        client, first = frames[0], int.from_bytes(frames[2], "big")
        for number, payload in self._kept:
            if number >= first:
                parts = (client, b"", self._topic, number.to_bytes(8, "big"), payload)
                self._router.send_multipart(parts)
        self._router.send_multipart((client, b"", b"", END, b""))


_FRESH = frozenset({"AllBlocksCleared", "CacheRestarted", "TreeResynced"})
"""After one of these, everything is known again."""


def publish(
    cache: Cache, endpoint: str, replay_endpoint: str | None = None, **options: Any
) -> Publisher:
    """Publish what a cache holds now and from now on; `close` also stops listening to it."""
    state = snapshot(cache)
    publisher = Publisher(endpoint, replay_endpoint, block_size=state.block_size, **options)
    if state.nodes or state.sequences:
        publisher.begin(state)
    attach(cache, publisher)
    return publisher


def _bound(part: Any, endpoint: str) -> tuple[Any, str]:
    """Bind a socket; return it, and where it is bound. Raises `EndpointError`."""
    if not isinstance(endpoint, str):
        part.close(linger=0)
        raise EndpointError(f"an endpoint is a text such as tcp://*:5557, not {shown(endpoint)}")
    part.set_hwm(2 * (REPLAY_STEPS + 1))
    try:
        part.bind(endpoint)
    except zmq.ZMQError as error:
        part.close(linger=0)
        raise EndpointError(f"cannot bind {shown(endpoint)}: {error.strerror}") from None
    where: str = part.getsockopt_string(zmq.LAST_ENDPOINT)
    return part, where
