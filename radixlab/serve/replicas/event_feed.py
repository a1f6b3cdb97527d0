"""Follows the KV events of the replicas, each in a thread, and tells the rule what they hold.

    Replica 2 ── PUB, replay ──► EventWatch (order, gaps) ──► RemoteFeed ──► desk ──► rule.heard

`observe/kv` puts the payloads in order and asks for those that are missing, as it does for the
streams of other engines.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import zmq

from radixlab.observe.kv.subscriber import EventWatch
from radixlab.observe.kv.wire import WireEvent
from radixlab.route import KVFeed, RemoteFeed, ReplicaId
from radixlab.serve.replicas.desk import Desk

POLL_S = 0.2
"""Seconds after which a thread looks whether it shall end."""


class _Teller:
    """Stands where `RemoteFeed` has a map: it passes the events on to the rule's thread."""

    def __init__(self, desk: Desk, replica: ReplicaId) -> None:
        self._desk, self._replica = desk, replica

    def hear(self, events: Iterable[WireEvent]) -> None:
        heard = list(events)
        self._desk.tell(lambda rule: rule.heard(self._replica, heard), is_event=True)


class EventFeed:
    """The subscriptions to all replicas."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ends: dict[ReplicaId, threading.Event] = {}

    def follow(self, replica: ReplicaId, metadata: Mapping[str, Any]) -> None:
        """Begin to follow a replica, which has said where it publishes."""
        end = self._ends[replica] = threading.Event()
        watch = EventWatch(
            metadata["kv_events"],
            metadata["kv_events_replay"],
            num_blocks=metadata["num_blocks"],
            num_host_blocks=metadata["num_host_blocks"],
            block_size=metadata["block_size"],
        )
        RemoteFeed(cast(KVFeed, _Teller(self._desk, replica)), watch.tree)

        def forget() -> None:
            self._desk.tell(lambda rule: rule.forget(replica))

        threading.Thread(target=_follow, args=(watch, end, forget), daemon=True).start()

    def leave(self, replica: ReplicaId) -> None:
        """Stop following a replica."""
        if end := self._ends.pop(replica, None):
            end.set()


def _follow(watch: EventWatch, end: threading.Event, forget: Callable[[], object]) -> None:
    """Read events until the end; forget the replica if it cannot be followed any more."""
    try:
        with watch:
            while not end.is_set():
                watch.poll(POLL_S)
    except zmq.ZMQError:  # its sockets are gone, as at the interpreter's end
        forget()
