"""The connection to one publisher: its payloads, and the replay of those that were missed.

    SUB     (topic, number, payload), as they are published
    DEALER  asks the publisher's ROUTER from a number on, and gets what is still kept, up to −1

The first question is for everything, because whoever begins to watch has missed the start. A gap is
asked for from the payload before it: if that one is another one now, the publisher began again
while nobody listened, and the number alone would not tell. After each new connection everything is
asked for again. When nothing comes any more, the last payload is asked for: if a later one was
lost, no number has told of it.
"""

import contextlib
import time
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from radixlab.config import shown
from radixlab.observe.kv.errors import EndpointError
from radixlab.observe.kv.remote import Gap, RemoteTree
from radixlab.observe.kv.wire import MAX_BYTES

END = -1
PATIENCE_S = 5.0
"""How long a replay may be silent before it is asked again."""
MAX_ASKED = 3
"""How often a silent replay is asked for the same gap."""
QUIET_S, MOST_QUIET_S = 1.0, 60.0
"""How long nothing comes until the last payload is asked for, at first and at most."""
BATCH = 1000
"""Most payloads that one look takes, so that a flood leaves room for others."""
HIGH_WATER = 500
"""Most messages that wait for us; more wait at the publisher. Each may have `MAX_BYTES`."""
_HEARD = zmq.EVENT_CONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED


class Link:
    """A subscription to one endpoint, and the questions to its replay."""

    def __init__(
        self,
        context: "zmq.Context[Any]",
        tree: RemoteTree,
        endpoint: str,
        replay: str | None,
        topic: str,
        source: str,
    ) -> None:
        self.endpoint, self.source, self.tree = endpoint, source, tree
        self.num_frames = 0
        """Messages that came."""
        self.num_asked = 0
        """How often the replay was asked."""
        self.is_connected = False
        """Whether a publisher is at the other end now."""
        self.num_connections = 0
        self.is_foreign = False
        """Whether something answers there that is not a publisher."""
        self._waiting_since: float | None = None
        self._asked: tuple[int, int] | None = None
        self._times_asked = 0
        self._must_ask_all = self._answer_is_empty = False
        self._quiet_s, self._check_at = QUIET_S, 0.0
        self.sub = _socket(context, zmq.SUB)
        self.monitor = self.sub.get_monitor_socket(_HEARD)  # before there is anything to hear
        self.sub.subscribe(topic.encode())
        _connect(self.sub, endpoint)
        self.dealer = None
        if replay is not None:
            self.dealer = _socket(context, zmq.DEALER)
            _connect(self.dealer, replay)
            self._ask(0, (0, 0))

    @property
    def sockets(self) -> list[Any]:
        """Whatever may have something to read."""
        return [part for part in (self.monitor, self.sub, self.dealer) if part is not None]

    @property
    def is_asking(self) -> bool:
        """Whether the replay has been asked and has not ended; who is not there is not asked."""
        return self.is_connected and self._waiting_since is not None

    # ---- in

    def read(self, part: Any) -> int:
        """Take what has arrived at a socket; return how many payloads were used."""
        if part is self.monitor:
            while part.poll(0):
                self._note(recv_monitor_message(part)["event"])
            return 0
        num_used = 0
        for _ in range(BATCH):
            try:
                frames = part.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            num_used += self.take(frames, is_replay=part is self.dealer)
        return num_used

    def take(self, frames: list[bytes], is_replay: bool) -> bool:
        """Take one message; return whether it was used."""
        self.num_frames += 1
        if is_replay and frames[:1] == [b""]:
            frames = frames[1:]
        if len(frames) != 3 or len(frames[1]) != 8:
            self.tree.refuse("odd_frame")
            return False
        number = int.from_bytes(frames[1], "big", signed=True)
        if not is_replay:
            self._expect_more()
        else:
            self._waiting_since = time.monotonic()
            if number == END:
                self._replay_ended()
                return False
            self._answer_is_empty = False
        return self.tree.feed(frames[2], number, self.source, is_replay)

    def _note(self, event: int) -> None:
        """Follow whether somebody is there."""
        self.is_connected = event == zmq.EVENT_HANDSHAKE_SUCCEEDED
        if event == zmq.EVENT_CONNECTED:
            self.is_foreign = True  # until it has said that it is a publisher
        if self.is_connected:
            self.is_foreign = False
            self.num_connections += 1
            self._must_ask_all = self.num_connections > 1
            self._expect_more()

    # ---- what is missing

    def recover(self) -> None:
        """Ask for everything after a new connection, else for the first gap; ask silent ones again.

        While nobody is there, nothing is given up.
        """
        if self.dealer is None or not self.is_connected:
            return
        if self._must_ask_all:
            self._must_ask_all = False
            return self._ask(0, (0, 0))
        if self._waiting_since is not None:
            if time.monotonic() - self._waiting_since < PATIENCE_S:
                return
            self._waiting_since = None
            if self._times_asked >= MAX_ASKED:
                self._give_up()
        if gaps := self._gaps():
            self._ask(max(0, gaps[0].first - 1), (gaps[0].rank, gaps[0].first))
        elif time.monotonic() >= self._check_at:
            self._quiet_s = min(MOST_QUIET_S, 4 * self._quiet_s)
            self._check_at = time.monotonic() + self._quiet_s
            self._ask(self.tree.last_seen(self.source), None)

    def _expect_more(self) -> None:
        self._quiet_s, self._check_at = QUIET_S, time.monotonic() + QUIET_S

    def _gaps(self) -> list[Gap]:
        return [gap for gap in self.tree.gaps if gap.source == self.source]

    def _ask(self, first: int, gap: tuple[int, int] | None) -> None:
        assert self.dealer is not None
        self._times_asked = self._times_asked + 1 if gap == self._asked else 1
        self._asked, self._waiting_since = gap, time.monotonic()
        self._answer_is_empty = first == 0
        self.num_asked += 1
        with contextlib.suppress(zmq.Again):  # nobody is there; it is asked again later
            self.dealer.send_multipart([b"", first.to_bytes(8, "big")], zmq.NOBLOCK)

    def _replay_ended(self) -> None:
        """Give up what the replay no longer had; what is missing since then is asked for next."""
        self._waiting_since = None
        if self._answer_is_empty and self.num_connections > 1:
            self.tree.restart(self.source)  # it has published nothing since it began again
        self._give_up()
        self._asked, self._times_asked = None, 0

    def _give_up(self) -> None:
        for gap in self._gaps():
            if self._asked is not None and gap.first == self._asked[1]:
                self.tree.give_up(gap)


def _socket(context: "zmq.Context[Any]", kind: int) -> Any:
    part = context.socket(kind)
    part.setsockopt(zmq.LINGER, 0)
    part.setsockopt(zmq.MAXMSGSIZE, MAX_BYTES)
    part.set_hwm(HIGH_WATER)
    return part


def _connect(part: Any, endpoint: str) -> None:
    """Connect a socket to an endpoint; raise `EndpointError` if ZeroMQ does not take it."""
    part.setsockopt(zmq.IPV6, "[" in endpoint)  # else a name might stand for its IPv6 address only
    try:
        part.connect(endpoint)
    except zmq.ZMQError as error:
        raise EndpointError(f"cannot reach {shown(endpoint)}: {error.strerror}") from None
