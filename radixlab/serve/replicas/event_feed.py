"""Follows the KV events of the replicas, each in a thread, and tells the rule what they hold.

    Replica 2 ── PUB, replay ──► EventWatch (order, gaps) ──► RemoteFeed ──► desk ──► rule.heard

`observe/kv` puts the payloads in order and asks for those that are missing, as it does for the
streams of other engines. If the rule has lost events, it is told again all that a replica holds.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Any, cast

import zmq

from radixlab.observe.kv.subscriber import EventWatch
from radixlab.observe.kv.wire import WireEvent
from radixlab.route import KVFeed, RemoteFeed, ReplicaId
from radixlab.serve.replicas.desk import Desk

POLL_S = 0.2
"""Seconds after which a thread looks whether it shall end."""
REST_S = 1.0
"""Seconds from a fault to the next try."""
logger = logging.getLogger(__name__)


class _Teller:
    """Stands where `RemoteFeed` has a map: it passes the events on to the rule's thread."""

    def __init__(self, desk: Desk, replica: ReplicaId) -> None:
        self._desk, self._replica = desk, replica
        self.must_repeat = threading.Event()
        """Set when the rule has forgotten what it was told, because events were dropped."""
        desk.on_lost.append(self.must_repeat.set)

    def hear(self, events: Iterable[WireEvent]) -> None:
        heard = list(events)
        self._desk.tell(lambda rule: rule.heard(self._replica, heard), is_event=True)

    def forget(self) -> None:
        """Have the rule forget the replica: nobody knows any more what it holds."""
        self._desk.tell(lambda rule: rule.forget(self._replica))

    def close(self) -> None:
        """Hear of no more losses."""
        self._desk.on_lost.remove(self.must_repeat.set)


class EventFeed:
    """The subscriptions to all replicas."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ends: dict[ReplicaId, threading.Event] = {}

    def follow(self, replica: ReplicaId, metadata: Mapping[str, Any]) -> None:
        """Begin to follow a replica, which has said where it publishes."""
        end = self._ends[replica] = threading.Event()
        given = (_Teller(self._desk, replica), metadata, end)
        threading.Thread(target=_follow, args=given, daemon=True).start()

    def leave(self, replica: ReplicaId) -> None:
        """Stop following a replica."""
        if end := self._ends.pop(replica, None):
            end.set()


def _follow(teller: _Teller, metadata: Mapping[str, Any], end: threading.Event) -> None:
    """Read events until the end; after a fault forget the replica, and begin again."""
    while not end.is_set():
        try:
            _read(teller, metadata, end)
        except Exception as error:
            if not isinstance(error, zmq.ZMQError):  # these come at the interpreter's end too
                logger.warning("The KV events of a replica cannot be read.", exc_info=True)
            teller.forget()
            end.wait(REST_S)
    teller.close()


def _read(teller: _Teller, metadata: Mapping[str, Any], end: threading.Event) -> None:
    watch = EventWatch(
        metadata["kv_events"],
        metadata["kv_events_replay"],
        num_blocks=metadata["num_blocks"],
        num_host_blocks=metadata["num_host_blocks"],
        block_size=metadata["block_size"],
    )
    feed = RemoteFeed(cast(KVFeed, teller), watch.tree)
    with watch:
        while not end.is_set():
            watch.poll(POLL_S)
            if teller.must_repeat.is_set():
                teller.must_repeat.clear()
                feed.repeat()
