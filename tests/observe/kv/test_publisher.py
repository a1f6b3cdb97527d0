"""The publisher over real sockets on loopback: what is sent arrives, what is missed is replayed."""

import subprocess
import sys
import time

import numpy as np
import pytest

zmq = pytest.importorskip("zmq", reason="pyzmq is not installed: the extra `serve` brings it")

from radixlab.cache import KVCacheManager  # noqa: E402
from radixlab.config import CacheConfig, ConfigError  # noqa: E402
from radixlab.observe.kv import publisher as module  # noqa: E402
from radixlab.observe.kv_events import (  # noqa: E402
    EndpointError,
    KVEventError,
    Publisher,
    RemoteTree,
    decode,
    publish,
)
from tests.observe.kv.test_outgoing import assert_same, random_prompts, serve  # noqa: E402
from tests.observe.lives import NUM_HOST_BLOCKS, live, small_cache  # noqa: E402

LONG_MS = 30_000
"""Far longer than a loaded machine needs."""
HERE = "tcp://127.0.0.1:0"


@pytest.fixture
def sockets():
    """Make sockets that are closed at the end."""
    made = []

    def make(kind, endpoint, topic=b""):
        made.append(zmq.Context.instance().socket(kind))
        made[-1].connect(endpoint)
        if kind == zmq.SUB:
            made[-1].subscribe(topic)
        return made[-1]

    yield make
    for one in made:
        one.close(linger=0)


def await_subscriber(publisher, manager, subscriber) -> None:
    """Publish resets until one arrives: a subscriber may connect a little later."""
    for _ in range(LONG_MS // 50):
        manager.reset()
        if subscriber.poll(50):
            break
    while subscriber.poll(200):
        subscriber.recv_multipart()


def replayed(socket, first: int):
    """Ask for payloads from `first` on; yield topic, number and payload of each."""
    socket.send_multipart([b"", first.to_bytes(8, "big")])
    while True:
        assert socket.poll(LONG_MS)
        empty, topic, number, payload = socket.recv_multipart()
        assert empty == b""
        if int.from_bytes(number, "big", signed=True) == -1:
            assert (topic, payload) == (b"", b"")
            return
        yield topic, int.from_bytes(number, "big"), payload


def settled(publisher) -> None:
    """Wait until everything that was handed over is sent."""
    deadline = time.monotonic() + LONG_MS / 1000
    while (publisher._queue or not publisher._asleep) and time.monotonic() < deadline:
        time.sleep(0.005)


def test_a_subscriber_and_a_replay_find_what_the_manager_finds(sockets):
    manager = small_cache()
    with publish(manager, HERE, HERE, topic="kv") as publisher:
        subscriber = sockets(zmq.SUB, publisher.endpoint, b"kv")
        await_subscriber(publisher, manager, subscriber)
        random = np.random.default_rng(5)
        list(live(manager, 5, 200))
        settled(publisher)
        trees = [
            RemoteTree(num_blocks=16, num_host_blocks=NUM_HOST_BLOCKS, block_size=2)
            for _ in range(2)
        ]
        while trees[0].expected() != publisher.num_payloads:
            assert subscriber.poll(LONG_MS)
            topic, number, payload = subscriber.recv_multipart()
            assert topic == b"kv" and len(number) == 8
            trees[0].feed(payload, int.from_bytes(number, "big"))
        for topic, number, payload in replayed(sockets(zmq.DEALER, publisher.replay_endpoint), 0):
            assert topic == b"kv" and trees[1].feed(payload, number)
        for tree in trees:
            assert_same(manager, tree, list(random_prompts(random, 40)))
        assert trees[1].gaps == [] and trees[1].expected() == publisher.num_payloads


def test_a_replay_begins_where_it_is_asked_to(sockets):
    manager = small_cache()
    with publish(manager, HERE, HERE) as publisher:
        for _ in range(5):
            manager.reset()
            settled(publisher)
        socket = sockets(zmq.DEALER, publisher.replay_endpoint)
        last = publisher.num_payloads - 1
        assert [number for _, number, _ in replayed(socket, last)] == [last]
        assert list(replayed(socket, 10**9)) == []
        everything = [number for _, number, _ in replayed(socket, 0)]
        assert everything == list(range(last + 1))


def test_as_many_payloads_are_kept_as_said(sockets, monkeypatch):
    monkeypatch.setattr(module, "REPLAY_STEPS", 3)
    manager = small_cache()
    with publish(manager, HERE, HERE) as publisher:
        for _ in range(8):
            manager.reset()
            settled(publisher)
        socket = sockets(zmq.DEALER, publisher.replay_endpoint)
        numbers = [number for _, number, _ in replayed(socket, 0)]
        assert numbers == list(range(publisher.num_payloads))[-3:]


def test_a_request_that_is_none_is_not_answered(sockets):
    with publish(small_cache(), HERE, HERE) as publisher:
        socket = sockets(zmq.DEALER, publisher.replay_endpoint)
        for frames in ([b""], [b"", b"short"], [b"", bytes(9)], [b"a", b"b", b"c", b"d"], [b"x"]):
            socket.send_multipart(frames)
        assert list(replayed(socket, 0)) == []


def test_time_rank_and_number_are_in_the_payload(sockets):
    manager = KVCacheManager(CacheConfig(8, 2))
    publisher = Publisher(HERE, HERE, clock=lambda: 7.5, block_size=2, rank=3)
    manager.emit = publisher
    serve(manager, [1, 2, 3])
    publisher.close()
    assert not publisher._thread.is_alive()
    (payload,) = [decode(payload) for _, payload in publisher._kept]
    assert (payload.ts, payload.rank, len(payload.events)) == (7.5, 3, 1)


def test_events_that_do_not_matter_are_not_even_queued():
    manager, heard = small_cache(), []
    publisher = Publisher(HERE, block_size=2)
    publisher.close()
    publisher._closing = False

    class Queue(list):
        def append(self, event):
            heard.append(type(event).__name__)

    publisher._queue = Queue()
    manager.emit = publisher
    list(live(manager, 1, 60))
    assert heard and not {"PrefixMatched", "NodeLocked", "BlocksAllocated"} & set(heard)


def test_too_many_events_are_dropped_and_readers_are_told(monkeypatch):
    monkeypatch.setattr(module, "MAX_QUEUED", 10)
    monkeypatch.setattr(module, "GATHER_S", 0.2)
    manager = KVCacheManager(CacheConfig(64, 2))
    tree = RemoteTree(block_size=2)
    with pytest.warns(RuntimeWarning, match="were lost"):
        publisher = publish(manager, HERE)
        for number in range(60):
            manager.release(serve(manager, [number, number, 1]))
        settled(publisher)
        assert len(publisher._queue) <= 10
        manager.reset()
        serve(manager, [5, 6, 7])
        settled(publisher)
        publisher.close()
    assert publisher.num_lost > 0
    for number, payload in publisher._kept:
        tree.feed(payload, number)
    assert tree.num_cached_blocks == 1 and tree.num_cached_tokens([5, 6, 7]) == 2


def test_a_wrong_block_size_is_said_and_nothing_false_is_left():
    manager = KVCacheManager(CacheConfig(64, 2))
    with pytest.warns(RuntimeWarning, match="block_size is wrong"):
        publisher = Publisher(HERE, block_size=3)
        manager.emit = publisher
        manager.release(serve(manager, [1, 2, 3, 4, 5, 6, 7, 8]))
        publisher.close()
    tree = RemoteTree()
    for number, payload in publisher._kept:
        tree.feed(payload, number)
    assert tree.num_cached_blocks == 0


def test_close_sends_what_is_queued_and_may_be_repeated():
    manager = KVCacheManager(CacheConfig(64, 2))
    publisher = publish(manager, HERE)
    for number in range(20):
        serve(manager, [number, number, 1])
    publisher.close()
    publisher.close()
    serve(manager, [50, 50, 1])  # nobody hears it, and nothing breaks
    events = [event for _, payload in publisher._kept for event in decode(payload).events]
    assert len(events) == 20


MISTAKES = [
    (lambda: Publisher("nonsense"), EndpointError, "cannot bind 'nonsense'"),
    (lambda: Publisher("tcp://127.0.0.1:notaport"), EndpointError, "cannot bind"),
    (lambda: Publisher(5557), EndpointError, "an endpoint is a text"),
    (lambda: Publisher(HERE, "tcp://256.0.0.1:1"), EndpointError, "cannot bind"),
    (lambda: Publisher(HERE, topic=b"kv"), KVEventError, "topic must be a text"),
    (lambda: Publisher(HERE, block_size=0), ConfigError, "block_size"),
    (lambda: Publisher(HERE, rank=-1), ConfigError, "rank"),
]


@pytest.mark.parametrize(("make", "error", "says"), MISTAKES)
def test_a_mistake_is_refused_by_name(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_an_endpoint_in_use_is_refused_by_name():
    with Publisher(HERE) as first, pytest.raises(EndpointError, match="in use"):
        Publisher(first.endpoint)


def test_a_forgotten_publisher_does_not_keep_a_process_alive():
    code = (
        "from radixlab.observe.kv_events import Publisher\n"
        f"publisher = Publisher({HERE!r}, {HERE!r})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=LONG_MS / 1000)


def test_reading_needs_no_sockets():
    code = (
        "import sys; sys.modules['zmq'] = None\n"
        "from radixlab.observe.kv_events import RemoteTree, Outgoing\n"
        "RemoteTree()\n"
        "try:\n    from radixlab.observe.kv_events import Publisher\n"
        "except ImportError as error:\n    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "KV events need ZeroMQ" in run.stdout
