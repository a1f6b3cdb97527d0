"""Watching over real sockets: what gets lost on the way is asked for again."""

import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import time
import weakref
from functools import partial
from pathlib import Path

import numpy as np
import pytest

zmq = pytest.importorskip("zmq", reason="pyzmq is not installed: the extra `serve` brings it")

from radixlab.observe import Recorder, attach, fold, fold_all, read_recording, snapshot  # noqa: E402
from radixlab.observe.kv import link as module  # noqa: E402
from radixlab.observe.kv.subscriber import TICK_S, EventWatch  # noqa: E402
from radixlab.observe.kv_events import (  # noqa: E402
    EndpointError,
    KVEventError,
    publish,
    watch_events,
)
from tests.observe.kv.consistent import check_structure  # noqa: E402
from tests.observe.kv.test_outgoing import assert_same, random_prompts, serve  # noqa: E402
from tests.observe.kv.test_publisher import HERE, LONG_MS, settled  # noqa: E402
from tests.observe.lives import NUM_HOST_BLOCKS, live, small_cache  # noqa: E402

SIZES = {"num_blocks": 16, "num_host_blocks": NUM_HOST_BLOCKS, "block_size": 2}


class Lossy(EventWatch):
    """A watch whose network loses payloads; a replay is never lost."""

    def lose(self, share: float, seed: int) -> None:
        self.random, self.share = random.Random(seed), share
        self.num_lost = 0
        for link in self.links:
            link.take = partial(self.take, link.take)

    def take(self, keep, frames, is_replay):
        if not is_replay and self.random.random() < self.share:
            self.num_lost += 1
            return False
        return keep(frames, is_replay)


def poll_until(watch, reached) -> None:
    deadline = time.monotonic() + LONG_MS / 1000
    while not reached():
        assert time.monotonic() < deadline, watch.status()
        watch.poll(0.05)


def caught_up(watch, publisher):
    return lambda: watch.tree.expected() == publisher.num_payloads and not watch.tree.gaps


def stir(manager, prompts) -> None:
    """Change something small, whatever state the cache is in."""
    for sequence in list(manager.sequences.values()):
        manager.abort(sequence)
    manager.complete(manager.transfers)
    manager.release(serve(manager, prompts.integers(1, 3, 5)))


def test_what_is_lost_is_asked_for_and_the_tree_is_the_managers():
    manager, prompts = small_cache(), np.random.default_rng(1)
    with publish(manager, HERE, HERE) as publisher:
        watch = Lossy(publisher.endpoint, publisher.replay_endpoint, **SIZES)
        watch.lose(0.2, seed=3)
        with watch:
            for _ in range(30):
                list(live(manager, int(prompts.integers(1000)), 20))
                settled(publisher)
                watch.poll(0.01)
            while not caught_up(watch, publisher)():  # the last payload may be the one lost
                stir(manager, prompts)
                settled(publisher)
                watch.run(0.05)
            assert watch.num_lost > 0 and watch.tree.num_lost == 0
            assert_same(manager, watch.tree, list(random_prompts(prompts, 60)))
            check_structure(watch.tree)


def test_a_last_payload_that_is_lost_is_found_without_a_later_one(monkeypatch):
    "all that is published live is lost, so that no number tells of it"
    monkeypatch.setattr(module, "QUIET_S", 0.05)
    manager, prompts = small_cache(), np.random.default_rng(1)
    with publish(manager, HERE, HERE) as publisher:
        watch = Lossy(publisher.endpoint, publisher.replay_endpoint, **SIZES)
        watch.lose(1.0, seed=3)
        with watch:
            for _ in range(3):
                stir(manager, prompts)
                settled(publisher)
                poll_until(watch, caught_up(watch, publisher))
            assert watch.tree.num_lost == 0 and not watch.tree.faults
            assert_same(manager, watch.tree, list(random_prompts(prompts, 60)))


def test_who_comes_late_gets_the_whole_tree_by_replay():
    manager = small_cache()
    with publish(manager, HERE, HERE) as publisher:
        list(live(manager, 4, 100))
        settled(publisher)
        with watch_events(publisher.endpoint, publisher.replay_endpoint, **SIZES) as watch:
            poll_until(watch, caught_up(watch, publisher))
            assert_same(manager, watch.tree, list(random_prompts(np.random.default_rng(0), 60)))
            assert "payloads" in watch.status()


def test_the_block_size_is_learnt_before_a_picture_is_taken():
    manager = small_cache()
    with publish(manager, HERE, HERE) as publisher:
        serve(manager, [1, 2, 3, 4])
        settled(publisher)
        with watch_events(publisher.endpoint, publisher.replay_endpoint, wait_s=LONG_MS) as watch:
            assert watch.snapshot().block_size == 2


def test_what_a_replay_no_longer_has_is_lost_and_said(monkeypatch):
    monkeypatch.setattr("radixlab.observe.kv.publisher.REPLAY_STEPS", 2)
    manager = small_cache()
    with publish(manager, HERE, HERE) as publisher:
        for number in range(1, 7):
            manager.release(serve(manager, [number, number, 1]))
            settled(publisher)
        with watch_events(publisher.endpoint, publisher.replay_endpoint, **SIZES) as watch:
            poll_until(watch, caught_up(watch, publisher))
            assert watch.tree.num_lost == publisher.num_payloads - 2
            assert "payloads lost" in watch.status()


def test_a_replay_that_is_silent_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    with (
        publish(small_cache(), HERE) as publisher,
        EventWatch(publisher.endpoint, "tcp://127.0.0.1:9", **SIZES) as watch,
    ):
        watch.tree.feed(bytes.fromhex("93cb00000000000000009000"), 5)
        poll_until(watch, lambda: not watch.tree.gaps)
        assert watch.tree.num_lost == 5 and watch.num_asked <= 2 * module.MAX_ASKED


def test_frames_that_are_none_are_counted():
    context = zmq.Context.instance()
    sender = context.socket(zmq.PUB)
    port = sender.bind_to_random_port("tcp://127.0.0.1")
    frames = ([b"x"], [b"", b"12345678"], [b"", b"short", b""], [b"", bytes(8), b"", b""])
    with EventWatch(f"tcp://127.0.0.1:{port}", **SIZES) as watch:

        def sent_and_seen():
            for frame in (*frames, [b"", bytes(8), b"\xc1"]):
                sender.send_multipart(frame)
            return watch.num_odd_frames >= 4 and watch.tree.faults["malformed"]

        poll_until(watch, sent_and_seen)
    sender.close(linger=0)


def test_a_watch_can_be_recorded_and_followed_like_a_cache(tmp_path):
    manager = small_cache()
    with (
        publish(manager, HERE, HERE) as publisher,
        EventWatch(publisher.endpoint, publisher.replay_endpoint, **SIZES) as watch,
    ):
        state = snapshot(watch)
        attach(watch, lambda event: fold(state, event))
        with Recorder(watch, tmp_path / "seen.jsonl"):
            list(live(manager, 9, 60))
            settled(publisher)
            poll_until(watch, caught_up(watch, publisher))
        assert state == snapshot(watch)
        assert fold_all(*read_recording(tmp_path / "seen.jsonl")) == state


def test_a_running_loop_polls_by_itself():
    async def main():
        manager = small_cache()
        with (
            publish(manager, HERE, HERE) as publisher,
            watch_events(publisher.endpoint, publisher.replay_endpoint, wait_s=0) as watch,
        ):
            serve(manager, [1, 2, 3, 4])
            deadline = time.monotonic() + LONG_MS / 1000
            while not watch.tree.num_cached_blocks and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            return watch.tree.num_cached_tokens([1, 2, 3, 4, 5])

    assert asyncio.run(main()) == 4


def test_a_watch_that_nobody_holds_ends():
    "a cell that runs again makes a new one"

    async def main():
        with publish(small_cache(), HERE) as publisher:
            watch = watch_events(publisher.endpoint, wait_s=0)
            context, reference = watch._context, weakref.ref(watch)
            await asyncio.sleep(3 * TICK_S)
            assert reference() is watch and not context.closed
            del watch
            await asyncio.sleep(0)
            gc.collect()
            assert reference() is None and context.closed

    asyncio.run(main())


MISTAKES = [
    (lambda: watch_events("nonsense"), EndpointError, "cannot reach 'nonsense'"),
    (lambda: watch_events(5557), EndpointError, "an endpoint is a text"),
    (lambda: watch_events("tcp://127.0.0.1:1", replay="tcp://x"), EndpointError, "cannot reach"),
    (lambda: watch_events("tcp://127.0.0.1:1", topic=b"kv"), KVEventError, "topic"),
]


@pytest.mark.parametrize(("make", "error", "says"), MISTAKES)
def test_a_mistake_is_refused_by_name(make, error, says):
    with pytest.raises(error, match=says):
        make()


WHEELS = os.environ.get("RADIXLAB_PEERS")


@pytest.mark.skipif(not WHEELS, reason="no unpacked wheels (RADIXLAB_PEERS)")
@pytest.mark.parametrize("share", [0, 0.01], ids=["all arrive", "1 % is lost"])
@pytest.mark.parametrize("engine", ["vllm", "sglang", "sglang-default"])
def test_a_watch_of_their_own_publisher_ends_in_their_own_cache(engine, share):
    "with replay on"
    command = [sys.executable, "-m", "tests.observe.kv.peers", engine, WHEELS, "publish", "5"]
    root, num = Path(__file__).parents[3], os.environ.get("RADIXLAB_PEER_STEPS", "1500")
    with subprocess.Popen(
        [*command, num], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as peer:
        endpoint, replay = json.loads(peer.stdout.readline())
        watch = Lossy(endpoint, replay, topic="kv", num_blocks=400, block_size=4)
        watch.lose(share, seed=1)
        with watch:
            watch.run(0.3)
            peer.stdin.write("go\n")
            peer.stdin.flush()
            os.set_blocking(peer.stdout.fileno(), False)
            line = ""
            while not line.endswith("\n"):
                watch.poll(0.05)
                line += peer.stdout.readline() or ""
            theirs = json.loads(line)

            def agreed():
                return (
                    all(
                        watch.tree.num_cached_tokens(
                            probe["tokens"], ("salt", probe["salt"]) if probe["salt"] else None
                        )
                        == probe["hit_tokens"]
                        for probe in theirs["probes"]
                    )
                    and not watch.tree.gaps
                )

            poll_until(watch, agreed)
            (shard,) = watch.tree._intake.shards.values()
            assert len(shard.blocks) == theirs["num_blocks"] > 20 and watch.doubt() == ""
            check_structure(watch.tree)
            print(engine, num, watch.status(), watch.num_lost, "lost,", watch.num_asked, "asked")
            assert (
                (watch.num_lost > 0) == (share > 0)
                and watch.tree.num_lost == 0
                and not watch.tree.num_orphans
            )
            peer.stdin.write("end\n")
            peer.stdin.flush()
