"""A live view of another engine's cache: a remote tree is viewed like any other."""

import asyncio
import json
import time

import pytest

pytest.importorskip("anywidget", reason="anywidget is not installed: the extra `lab` brings it")

from radixlab.observe.kv_events import RemoteTree
from radixlab.viz import CacheView
from tests.observe.kv.frames import ENGINES, payloads
from tests.viz.test_cache_view import Shell, sent_by, shell

__all__ = ["shell"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_view_follows_a_remote_tree(engine, monkeypatch):
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    tree = RemoteTree(num_blocks=48, num_host_blocks=0, block_size=4)
    view = CacheView(tree)
    for number, payload in payloads(engine):
        tree.feed(payload, number)
    num_nodes = tree.stats().num_nodes
    assert view.snapshot().text.startswith(f"CacheView: {num_nodes} nodes, 0 of 48 blocks in use")
    assert len(view.feed.event_log.events) == tree.next_seq
    recording = json.loads(view.feed.recording)
    assert not recording["requests"] and not recording["sources"]


def test_what_comes_between_the_cells_is_sent_without_another_cell(shell: Shell, monkeypatch):
    "the last events too, and the synced log for a page that is reloaded"
    tree = RemoteTree(num_blocks=48, block_size=4)
    view = CacheView(tree)
    sent = sent_by(view, monkeypatch)
    shell.run("a", lambda: view)
    recorded = payloads(ENGINES[0])[:60]

    async def idle_kernel():
        for number, payload in recorded:
            tree.feed(payload, number)
            await asyncio.sleep(0)
        end, deadline = tree.next_seq, time.monotonic() + 60
        while len(json.loads(view.feed.recording)["events"]) < end:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    asyncio.run(idle_kernel())
    assert sum(len(message["events"]) for message in sent) == tree.next_seq > 60


def test_a_view_says_where_its_picture_cannot_be_trusted(monkeypatch):
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    tree = RemoteTree(num_blocks=48, block_size=4)
    view = CacheView(tree)
    for number, payload in payloads(ENGINES[0])[5:9]:
        tree.feed(payload, number)
    assert "This picture may be wrong: 5 payloads missing" in view.snapshot().text
