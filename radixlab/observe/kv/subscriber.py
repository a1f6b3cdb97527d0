"""Watching a running engine: its KV events by ZeroMQ, missing ones by replay, into a `RemoteTree`.

Each data-parallel rank of an engine has an endpoint of its own: vLLM and SGLang add the rank to the
port of the endpoint and of the replay. `link.py` follows one of them; this file follows them all.

The object can be viewed and recorded like a cache: `CacheView(watch_events("tcp://host:5557"))`.
Whoever owns it calls `poll`; in a notebook the kernel's own loop does, between the cells. So events
reach a view in the thread that made it.
"""

import asyncio
import contextlib
import time
import weakref
from typing import Any

import zmq

from radixlab.config import shown
from radixlab.events import Emit
from radixlab.observe.doubt import said_of
from radixlab.observe.kv.endpoints import Endpoints, pairs_of
from radixlab.observe.kv.errors import EndpointError, KVEventError
from radixlab.observe.kv.link import Link
from radixlab.observe.kv.remote import RemoteTree
from radixlab.observe.state import State

NUM_BLOCKS = 4096
"""The pool that is drawn, unless the caller knows the engine's."""
TICK_S = 0.1
"""How often a notebook's loop looks for payloads."""


class EventWatch:
    """A subscriber to one publisher or several, and the tree that they tell.

    Close it, or use `with`.
    """

    def __init__(
        self,
        endpoint: Endpoints,
        replay: Endpoints | None = None,
        topic: str = "",
        num_blocks: int = NUM_BLOCKS,
        num_host_blocks: int = 0,
        block_size: int | None = None,
        ranks: int = 1,
    ) -> None:
        self.endpoint, self.replay = endpoint, replay
        self.tree = RemoteTree(num_blocks, num_host_blocks, block_size)
        if not isinstance(topic, str):
            raise KVEventError(f"topic must be a text, not {shown(topic)}")
        pairs = pairs_of(endpoint, replay, ranks)
        self._context: zmq.Context[Any] = zmq.Context()
        self._end = weakref.finalize(self, self._context.destroy, linger=0)
        self._poller = zmq.Poller()
        self._timer: asyncio.TimerHandle | None = None
        self.links: list[Link] = []
        """One for each endpoint."""
        self._link_of: dict[Any, Link] = {}
        try:
            for each, its_replay in pairs:
                source = each.partition("://")[2] if len(pairs) > 1 else ""
                link = Link(self._context, self.tree, each, its_replay, topic, source)
                self.links.append(link)
                for part in link.sockets:
                    self._link_of[part] = link
                    self._poller.register(part, zmq.POLLIN)
        except EndpointError:
            self.close()
            raise

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
        ready = dict(self._poller.poll(max(0, int(timeout_s * 1000))))
        num_used = sum(self._link_of[part].read(part) for part in ready)
        for link in self.links:
            link.recover()
        return num_used

    @property
    def num_frames(self) -> int:
        """Messages that came."""
        return sum(link.num_frames for link in self.links)

    @property
    def num_odd_frames(self) -> int:
        """Messages that were not a (topic, number, payload)."""
        return self.tree.faults["odd_frame"]

    @property
    def num_asked(self) -> int:
        """How often a replay was asked."""
        return sum(link.num_asked for link in self.links)

    @property
    def is_asking(self) -> bool:
        """Whether a replay has been asked and has not ended."""
        return any(link.is_asking for link in self.links)

    def run(self, seconds: float) -> int:
        """Poll for some time; return how many payloads were used."""
        end, num_used = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0:
            num_used += self.poll(min(left, TICK_S))
        return num_used

    # ---- in a notebook, and at the end

    def follow(self) -> None:
        """Let the running asyncio loop poll, between whatever else it does.

        A watch that nobody holds any more ends: a notebook's cell may run again and make a new one.
        """
        loop, reference = asyncio.get_running_loop(), weakref.ref(self)

        def tick() -> None:
            if (watch := reference()) is not None:
                watch.poll()
                watch._timer = loop.call_later(TICK_S, tick)

        self._timer = loop.call_later(TICK_S, tick)

    def close(self) -> None:
        """Stop watching; the tree stays as it is."""
        if self._timer is not None:
            self._timer.cancel()
        self._end()

    def __enter__(self) -> "EventWatch":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connection(self) -> str:
        """Say in a line which endpoints cannot be heard, or "" if all are."""
        said = [f"{link.endpoint} {_absence(link)}" for link in self.links if not link.is_connected]
        return "; ".join(said)

    def doubt(self) -> str:
        """Say in a line why the picture may be wrong, or "" if nothing speaks against it."""
        return said_of(self.tree.stream)

    def where(self) -> str:
        """Name the endpoints."""
        names = [link.endpoint for link in self.links]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return ", ".join(names[:3]) + more

    def status(self) -> str:
        """Say in a line what has come, who cannot be heard, and why the picture may be wrong."""
        return "; ".join(filter(None, (self.counts(), self.connection(), self.doubt())))

    def counts(self) -> str:
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
            *((num, kind.replace("_", " ")) for kind, num in sorted(tree.faults.items())),
        ]
        said = [f"{num:,} {what}" for num, what in parts[:2]]
        return ", ".join(said + [f"{num:,} {what}" for num, what in parts[2:] if num])


def _absence(link: Link) -> str:
    if link.is_foreign:
        return "answers, but is not a publisher"
    return "is gone; waiting for it to come back" if link.num_connections else "does not answer yet"


def watch_events(
    endpoint: Endpoints,
    replay: Endpoints | None = None,
    topic: str = "",
    num_blocks: int = NUM_BLOCKS,
    num_host_blocks: int = 0,
    block_size: int | None = None,
    wait_s: float = 2.0,
    ranks: int = 1,
) -> EventWatch:
    """Watch a running vLLM, SGLang or radixlab by its KV events.

    Waits up to `wait_s` for the first stored block, which says how many tokens a block has. In a
    notebook the watch goes on by itself; elsewhere call `poll`. `num_blocks` is the pool to draw.
    Several endpoints, or the ranks that count up from one, have trees of their own in one picture.
    """
    watch = EventWatch(endpoint, replay, topic, num_blocks, num_host_blocks, block_size, ranks)
    end = time.monotonic() + wait_s
    while watch.tree.block_size is None and (left := end - time.monotonic()) > 0:
        watch.poll(min(left, TICK_S))
    with contextlib.suppress(RuntimeError):  # no loop runs here: whoever asked polls
        watch.follow()
    return watch
