"""Engines that go away and come back, and several engines at once, over real sockets."""

import contextlib
import resource
import socket
import time
from pathlib import Path

import numpy as np
import pytest

zmq = pytest.importorskip("zmq", reason="pyzmq is not installed: the extra `serve` brings it")

from radixlab.observe import attach, fold, snapshot  # noqa: E402
from radixlab.observe.kv.endpoints import check, of_rank, pairs_of  # noqa: E402
from radixlab.observe.kv.subscriber import EventWatch  # noqa: E402
from radixlab.observe.kv_events import EndpointError, KVEventError, publish  # noqa: E402
from tests.observe.kv.consistent import check_structure  # noqa: E402
from tests.observe.kv.test_outgoing import assert_same, random_prompts, serve  # noqa: E402
from tests.observe.kv.test_publisher import HERE, LONG_MS, settled  # noqa: E402
from tests.observe.kv.test_watching import SIZES, caught_up, poll_until  # noqa: E402
from tests.observe.lives import small_cache  # noqa: E402


def published_again(manager, publisher, **options):
    """Bind the same ports, as an engine does that was started again."""
    deadline = time.monotonic() + LONG_MS / 1000
    while True:
        try:
            return publish(manager, publisher.endpoint, publisher.replay_endpoint, **options)
        except EndpointError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def fill(manager, publisher, numbers) -> None:
    """Make one payload of each prompt."""
    for number in numbers:
        manager.release(serve(manager, [number, number, 1, 2, 9]))
        settled(publisher)


def num_links(watch):
    return watch.links[0].num_connections


@pytest.mark.parametrize("num_after", [0, 2, 9], ids=["nothing yet", "fewer", "more"])
def test_an_engine_that_was_started_again_is_seen_as_it_is_now(num_after):
    "however many payloads it has published before it is heard"
    old, new = small_cache(), small_cache()
    first = publish(old, HERE, HERE)
    watch = EventWatch(first.endpoint, first.replay_endpoint, **SIZES)
    with watch:
        state = snapshot(watch)
        attach(watch, lambda event: fold(state, event))
        fill(old, first, range(3, 8))
        poll_until(watch, lambda: caught_up(watch, first)() and num_links(watch) == 1)
        first.close()
        poll_until(watch, lambda: "is gone" in watch.connection())
        with published_again(new, first) as second:
            fill(new, second, range(20, 20 + num_after))
            poll_until(watch, lambda: watch.tree.num_restarts == 1)
            poll_until(watch, caught_up(watch, second))
            assert_same(new, watch.tree, list(random_prompts(np.random.default_rng(0), 30)))
            assert watch.tree.num_cached_blocks == sum(
                len(node.block_ids) for node in snapshot(new).nodes.values()
            )
            assert watch.doubt() == ""
            check_structure(watch.tree)
            assert state == snapshot(watch) and state.publisher_restarts == 1


def test_a_connection_that_breaks_loses_nothing():
    "the same publisher is heard again: what it sent meanwhile is asked for"
    manager = small_cache()
    with publish(manager, HERE, HERE) as publisher:
        watch = EventWatch(publisher.endpoint, publisher.replay_endpoint, **SIZES)
        with watch:
            fill(manager, publisher, range(3, 6))
            poll_until(watch, caught_up(watch, publisher))
            watch.links[0].sub.disconnect(publisher.endpoint)
            fill(manager, publisher, range(6, 9))
            watch.links[0].sub.connect(publisher.endpoint)
            poll_until(watch, lambda: num_links(watch) == 2)
            poll_until(watch, caught_up(watch, publisher))
            assert watch.tree.num_restarts == 0 and watch.doubt() == ""
            assert_same(manager, watch.tree, list(random_prompts(np.random.default_rng(0), 30)))


@pytest.mark.parametrize("ranks", [(0, 1), (0, 0)], ids=["two ranks", "two engines"])
def test_several_endpoints_are_trees_of_their_own(ranks):
    managers = [small_cache(), small_cache()]
    publishers = [
        publish(m, HERE, HERE, rank=rank) for m, rank in zip(managers, ranks, strict=True)
    ]
    ends = [p.endpoint for p in publishers], [p.replay_endpoint for p in publishers]
    with EventWatch(*ends, num_blocks=64, num_host_blocks=16, block_size=2) as watch:
        for number, (manager, publisher) in enumerate(zip(managers, publishers, strict=True)):
            fill(manager, publisher, range(3, 5 + number))

        def all_here():
            return watch.tree.num_payloads == sum(p.num_payloads for p in publishers)

        poll_until(watch, lambda: all_here() and not watch.connection())
        names = {view.namespace[0].split(",")[0] for view in watch.tree.walk()}
        want = [f"rank {r}" for r in ranks] if ranks[1] else [e.split("//")[1] for e in ends[0]]
        assert names == set(want)
        check_structure(watch.tree)
    for publisher in publishers:
        publisher.close()


def test_who_does_not_answer_is_named():
    with EventWatch(["tcp://127.0.0.1:1", "tcp://127.0.0.1:2"], **SIZES) as watch:
        watch.poll(0.05)
        assert watch.connection() == (
            "tcp://127.0.0.1:1 does not answer yet; tcp://127.0.0.1:2 does not answer yet"
        )


def test_what_is_not_a_publisher_is_named():
    "a replay, and a server that does not speak ZeroMQ"
    with socket.create_server(("127.0.0.1", 0)) as other, publish(small_cache(), HERE, HERE) as one:
        for endpoint in (one.replay_endpoint, f"tcp://127.0.0.1:{other.getsockname()[1]}"):
            with EventWatch(endpoint, **SIZES) as watch:
                poll_until(watch, lambda: "is not a publisher" in watch.connection())


def test_ranks_count_up_both_ports():
    pairs = pairs_of("tcp://host:5557", "tcp://host:6557", ranks=3)
    assert pairs == [(f"tcp://host:{5557 + r}", f"tcp://host:{6557 + r}") for r in range(3)]
    assert pairs_of("tcp://[::1]:5557", None, 2)[1] == ("tcp://[::1]:5558", None)
    assert pairs_of(("tcp://a:1", "tcp://b:1"), None) == [("tcp://a:1", None), ("tcp://b:1", None)]


MISTAKES = [
    (("tcp://a:1", ("tcp://a:2", "tcp://a:3")), KVEventError, "1 endpoints need as many replays"),
    ((("tcp://a:1", "tcp://b:1"), "tcp://c:1"), KVEventError, "2 endpoints need as many"),
    ((("tcp://a:1", "tcp://b:1"), None, 2), KVEventError, "ranks=2 counts up from one endpoint"),
    ((("tcp://a:1", "tcp://a:1"), None), KVEventError, "given twice"),
    (((), None), KVEventError, "1 to 64 endpoints"),
    ((7, None), EndpointError, "an endpoint is a text"),
    (("ipc:///tmp/x", None, 2), EndpointError, "no port of rank 0 counts up"),
    (("tcp://a:65535", None, 2), EndpointError, "no port of rank 1"),
    (("tcp://a:*", None), EndpointError, "HOST:PORT"),
]


@pytest.mark.parametrize(("args", "error", "says"), MISTAKES)
def test_endpoints_that_cannot_be_are_refused_by_name(args, error, says):
    with pytest.raises(error, match=says):
        pairs_of(*args)


def test_a_port_is_where_the_engines_put_it():
    "by the code of vLLM 0.33.0 and SGLang 0.5.23: the rank is added to the port"
    assert of_rank("tcp://host:5557", 0) == "tcp://host:5557"
    assert of_rank("tcp://host:5557", 3) == "tcp://host:5560"


@pytest.mark.parametrize(
    "endpoint",
    [
        *("tcp://localhost:5557", "tcp://127.0.0.1:1", "tcp://gpu-3.cluster.local:65535"),
        *("tcp://[::1]:5557", "ipc:///run/kv.sock", "ipc://@abstract"),
    ],
)
def test_what_can_be_an_endpoint_is_one(endpoint):
    check(endpoint)
    EventWatch(endpoint, **SIZES).close()


@pytest.mark.parametrize(
    "endpoint",
    [
        *("", "localhost", "localhost:5557", "http://localhost:8000", "tcp://", "tcp://localhost"),
        *("tcp://localhost:0", "tcp://localhost:99999", "tcp://:5557", "tcp://localhost:port"),
        *("tcp://local host:5557", "tcp://x:1\n", "tcp://\x1b[2Jx:1", "udp://localhost:1"),
        *("tcp://*:5557", "inproc://x", "tcp://" + "a" * 5000 + ":1", "ipc://", "tcp://a:1/b"),
    ],
)
def test_what_can_never_answer_is_refused_in_one_line(endpoint):
    with pytest.raises(EndpointError, match="cannot reach") as caught:
        check(endpoint)
    line = str(caught.value)
    assert line.isprintable() and len(line) < 400


GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)
READY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB"
LIES = {
    "a message of 4 EB": b"\x02" + (2**62).to_bytes(8, "big") + b"x" * 100,
    "a message of 1 GB": b"\x02" + (2**30).to_bytes(8, "big") + b"x" * 100,
    "a message without an end": b"\x03" + (2**20).to_bytes(8, "big") + b"x" * 100,
    "flags that are none": b"\xff\xff\xff\xff" * 20,
    "a command in the middle": b"\x04\x05hello" * 20,
    "a million parts": b"\x01\x00" * 1_000_000 + b"\x00\x00",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_publisher_that_lies_about_lengths_harms_nobody(lie):
    "below the messages: what a hostile server may send after ZeroMQ's greeting"
    before = rss_bytes()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        EventWatch(f"tcp://127.0.0.1:{server.getsockname()[1]}", **SIZES) as watch,
    ):
        connection, _ = server.accept()
        with connection:
            connection.sendall(GREETING + b"\x04" + bytes([len(READY)]) + READY)
            poll_until(watch, lambda: watch.links[0].num_connections == 1)
            with contextlib.suppress(OSError):  # it may hang up at once
                connection.sendall(lie)
            watch.run(0.2)
        poll_until(watch, lambda: not watch.links[0].is_connected)
        assert not watch.tree.num_payloads
    assert rss_bytes() - before < 300_000_000


def rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_other_topics_are_not_heard():
    manager = small_cache()
    with (
        publish(manager, HERE, HERE, topic="kv@model-a") as publisher,
        EventWatch(publisher.endpoint, topic="kv@model-b", **SIZES) as deaf,
        EventWatch(publisher.endpoint, topic="kv@model", **SIZES) as watch,
    ):
        poll_until(watch, lambda: not watch.connection())
        poll_until(deaf, lambda: not deaf.connection())
        numbers = iter(range(3, 10_000))

        def heard():
            fill(manager, publisher, [next(numbers)])
            return watch.num_frames

        poll_until(watch, heard)
        deaf.run(0.1)
        assert deaf.num_frames == 0 and "nothing has arrived" in deaf.status()
