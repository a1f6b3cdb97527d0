"""Watching a running engine: its KV events by ZeroMQ, missing ones by replay, into a `RemoteTree`.

    SUB ─► feed ─► a gap? ─► ask the ROUTER from its first number on ─► feed what comes, up to −1

The object can be viewed and recorded like a cache: `CacheView(watch_events("tcp://host:5557"))`.
Whoever owns it calls `poll`; in a notebook the kernel's own loop does, between the cells. So events
reach a view in the thread that made it.
"""

import asyncio
import contextlib
import time
from types import TracebackType
from typing import Any

import zmq

from radixlab.config import shown
from radixlab.events import Emit
from radixlab.observe.kv.errors import EndpointError, KVEventError
from radixlab.observe.kv.remote import RemoteTree
from radixlab.observe.kv.wire import MAX_BYTES
from radixlab.observe.state import State

NUM_BLOCKS = 4096
"""The pool that is drawn, unless the caller knows the engine's."""
END = -1
TICK_S = 0.1
"""How often a notebook's loop looks for payloads."""
PATIENCE_S = 5.0
"""How long a replay may be silent before it is asked again."""
MAX_ASKED = 3
"""How often a silent replay is asked for the same gap."""
BATCH = 1000
"""Most payloads that one look takes, so that a flood leaves room for others."""
HIGH_WATER = 100_000


class EventWatch:
    """A subscriber to one publisher, and the tree that it tells; close it, or use `with`."""

    def __init__(
        self,
        endpoint: str,
        replay: str | None = None,
        topic: str = "",
        num_blocks: int = NUM_BLOCKS,
        num_host_blocks: int = 0,
        block_size: int | None = None,
    ) -> None:
        self.endpoint, self.replay = endpoint, replay
        self.tree = RemoteTree(num_blocks, num_host_blocks, block_size)
        if not isinstance(topic, str):
            raise KVEventError(f"topic must be a text, not {shown(topic)}")
        self.num_frames = self.num_odd_frames = 0
        """Messages that came, and those of them that were no (topic, number, payload)."""
        self.num_asked = 0
        """How often a replay was asked."""
        self._context: zmq.Context[Any] = zmq.Context()
        self._poller = zmq.Poller()
        self._waiting_since: float | None = None
        self._asked: tuple[int, int] | None = None
        self._times_asked = 0
        self._timer: asyncio.TimerHandle | None = None
        try:
            self._sub = self._connected(zmq.SUB, endpoint)
            self._sub.subscribe(topic.encode())
            self._dealer = None if replay is None else self._connected(zmq.DEALER, replay)
        except EndpointError:
            self.close()
            raise
        if self._dealer is not None:
            self._ask(0, (0, 0))

    def _connected(self, kind: int, endpoint: str) -> Any:
        if not isinstance(endpoint, str):
            raise EndpointError(
                f"an endpoint is a text such as tcp://host:1, not {shown(endpoint)}"
            )
        part = self._context.socket(kind)
        part.setsockopt(zmq.LINGER, 0)
        part.setsockopt(zmq.MAXMSGSIZE, MAX_BYTES)
        part.set_hwm(HIGH_WATER)
        try:
            part.connect(endpoint)
        except zmq.ZMQError as error:
            raise EndpointError(f"cannot reach {shown(endpoint)}: {error.strerror}") from None
        self._poller.register(part, zmq.POLLIN)
        return part

    # ---- as a cache is viewed and recorded

    @property
    def emit(self) -> Emit | None:
        """The listener of our own events, or None."""
        return self.tree.emit

    @emit.setter
    def emit(self, listener: Emit | None) -> None:
        self.tree.emit = listener

    @property
    def next_seq(self) -> int:
        """The number of the next event of ours."""
        return self.tree.next_seq

    def snapshot(self) -> State:
        """Return the tree now."""
        return self.tree.snapshot()

    # ---- in

    def poll(self, timeout_s: float = 0.0) -> int:
        """Take what has arrived, after waiting for at most `timeout_s`; return how many payloads.

        A gap is asked for at once, if there is a replay.
        """
        num_used, ready = 0, dict(self._poller.poll(max(0, int(timeout_s * 1000))))
        for part in ready:
            for _ in range(BATCH):
                try:
                    frames = part.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                num_used += self._take(frames, is_replay=part is self._dealer)
        self._recover()
        return num_used

    @property
    def is_asking(self) -> bool:
        """Whether a replay has been asked and has not ended."""
        return self._waiting_since is not None

    def run(self, seconds: float) -> int:
        """Poll for some time; return how many payloads were used."""
        end, num_used = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0:
            num_used += self.poll(min(left, TICK_S))
        return num_used

    def _take(self, frames: list[bytes], is_replay: bool) -> bool:
        self.num_frames += 1
        if is_replay and frames[:1] == [b""]:
            frames = frames[1:]
        if len(frames) != 3 or len(frames[1]) != 8:
            self.num_odd_frames += 1
            return False
        number = int.from_bytes(frames[1], "big", signed=True)
        if is_replay:
            self._waiting_since = time.monotonic()
            if number == END:
                self._replay_ended()
                return False
        return self.tree.feed(frames[2], number)

    # ---- what is missing

    def _recover(self) -> None:
        """Ask for the first gap, once; ask again if nobody answers."""
        if self._dealer is None:
            return
        if self._waiting_since is not None:
            if time.monotonic() - self._waiting_since < PATIENCE_S:
                return
            self._waiting_since = None
            if self._times_asked >= MAX_ASKED:
                self._give_up()
        for gap in self.tree.gaps[:1]:
            self._ask(gap.first, (gap.rank, gap.first))

    def _ask(self, first: int, gap: tuple[int, int]) -> None:
        assert self._dealer is not None
        self._times_asked = self._times_asked + 1 if gap == self._asked else 1
        self._asked, self._waiting_since = gap, time.monotonic()
        self.num_asked += 1
        with contextlib.suppress(zmq.Again):  # nobody is there; it is asked again later
            self._dealer.send_multipart([b"", first.to_bytes(8, "big")], zmq.NOBLOCK)

    def _replay_ended(self) -> None:
        """Give up what the replay no longer had; what is missing since then is asked for next."""
        self._waiting_since = None
        self._give_up()
        self._asked, self._times_asked = None, 0

    def _give_up(self) -> None:
        for gap in self.tree.gaps:
            if self._asked is not None and gap.first == self._asked[1]:
                self.tree.give_up(gap)

    # ---- in a notebook, and at the end

    def follow(self) -> None:
        """Let the running asyncio loop poll, between whatever else it does."""
        loop = asyncio.get_running_loop()

        def tick() -> None:
            self.poll()
            self._timer = loop.call_later(TICK_S, tick)

        self._timer = loop.call_later(TICK_S, tick)

    def close(self) -> None:
        """Stop watching; the tree stays as it is."""
        if self._timer is not None:
            self._timer.cancel()
        self._context.destroy(linger=0)

    def __enter__(self) -> "EventWatch":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def status(self) -> str:
        """Say in a line what has come and what is missing."""
        if not self.num_frames:
            return "nothing has arrived"
        tree = self.tree
        missing = sum(gap.last - gap.first + 1 for gap in tree.gaps)
        parts = [
            (tree.num_payloads, "payloads"),
            (tree.num_cached_blocks, "blocks"),
            (tree.num_orphans, "orphans"),
            (missing, "payloads missing"),
            (tree.num_lost, "payloads lost"),
            (tree.num_restarts, "restarts"),
            (self.num_odd_frames, "odd frames"),
            *((num, kind.replace("_", " ")) for kind, num in sorted(tree.faults.items())),
        ]
        said = [f"{num:,} {what}" for num, what in parts[:2]]
        return ", ".join(said + [f"{num:,} {what}" for num, what in parts[2:] if num])


def watch_events(
    endpoint: str,
    replay: str | None = None,
    topic: str = "",
    num_blocks: int = NUM_BLOCKS,
    num_host_blocks: int = 0,
    block_size: int | None = None,
    wait_s: float = 2.0,
) -> EventWatch:
    """Watch a running vLLM, SGLang or radixlab by its KV events.

    Waits up to `wait_s` for the first stored block, which says how many tokens a block has. In a
    notebook the watch goes on by itself; elsewhere call `poll`. `num_blocks` is the pool to draw.
    """
    watch = EventWatch(endpoint, replay, topic, num_blocks, num_host_blocks, block_size)
    end = time.monotonic() + wait_s
    while watch.tree.block_size is None and (left := end - time.monotonic()) > 0:
        watch.poll(min(left, TICK_S))
    with contextlib.suppress(RuntimeError):  # no loop runs here: whoever asked polls
        watch.follow()
    return watch
