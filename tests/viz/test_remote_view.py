"""A live view of another engine's cache: a remote tree is viewed like any other."""

import json

import pytest

pytest.importorskip("anywidget", reason="anywidget is not installed: the extra `lab` brings it")

from radixlab.observe.kv_events import RemoteTree
from radixlab.viz import CacheView
from tests.observe.kv.frames import ENGINES, payloads


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
