import re
from typing import Any

import pytest

from radixlab.cache import KVCacheManager, RadixTree
from radixlab.config import CacheConfig
from radixlab.observe import snapshot, state_to_json, watch
from radixlab.observe.state import State, fold_all
from radixlab.viz import CacheView, summary
from radixlab.viz.bundle import css, esm
from radixlab.viz.event_log import EventLog
from radixlab.viz.sources import event_sources

PROMPT = list(map(ord, "The capital of France is Paris. Q: what?"))
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def cache() -> KVCacheManager:
    return KVCacheManager(CacheConfig(num_blocks=64, block_size=4))


def serve(cache: KVCacheManager, text: str) -> Any:
    sequence = cache.allocate(PROMPT + list(map(ord, text)))
    cache.commit(sequence, len(PROMPT) + len(text))
    return sequence


def view_of_a_running_cell(cache: KVCacheManager, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Build a view as in a kernel; `view.sent` collects its messages."""

    class Shell:
        execution_count = 1

        class events:
            register = unregister = staticmethod(lambda *_: None)

    monkeypatch.delenv("RADIXLAB_STATIC", raising=False)
    monkeypatch.setattr("radixlab.viz.cache_view.get_ipython", Shell)
    view = CacheView(cache, chr, title="t")
    view.sent = []
    monkeypatch.setattr(view, "send", view.sent.append)
    return view


def test_static_output_is_picture_and_text_only(
    cache: KVCacheManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    view = CacheView(cache, chr)
    serve(cache, "Name it.")
    data, metadata = view._repr_mimebundle_()
    assert data.keys() == {"text/plain", "image/png"} and view.comm is None
    assert data["text/plain"] == summary(snapshot(cache), chr) == view.snapshot().text
    assert metadata == {"image/png": {"width": 864}}


def test_live_output_has_all_three(cache: KVCacheManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RADIXLAB_STATIC", raising=False)
    data, _ = CacheView(cache)._repr_mimebundle_()
    assert data.keys() == {"text/plain", "image/png", WIDGET}
    assert data["text/plain"].startswith("CacheView: 0 nodes, 0 of 64 blocks in use")


def test_messages_and_recording_hold_every_event_once(
    cache: KVCacheManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radixlab.viz.cache_view._SEND_EVERY_S", 0)
    view = view_of_a_running_cell(cache, monkeypatch)
    serve(cache, "Name it.")
    serve(cache, "Who eats")
    view._after_cell()
    assert [row[1] for m in view.sent for row in m["events"]] == list(range(view._events.end))
    assert len(view.recording["events"]) == view._events.end
    assert view.recording["vocab"]["84"] == "T" and view.recording["title"] == "t"


def test_messages_are_bundled(cache: KVCacheManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radixlab.viz.cache_view._SEND_EVERY_S", 3600)
    view = view_of_a_running_cell(cache, monkeypatch)
    view._send_new()
    serve(cache, "Name it.")
    assert view.sent == []
    view._after_cell()
    assert len(view.sent) == 1 and view.sent[0]["from"] == 0


def test_a_request_waits_for_the_end_of_the_cell(
    cache: KVCacheManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of_a_running_cell(cache, monkeypatch)
    serve(cache, "Name it.")
    view._after_cell()
    view._before_cell()
    view.sent.clear()
    view._on_request(view, {"type": "need", "from": 2}, None)
    assert view.sent == []
    view._after_cell()
    assert view.sent[0]["from"] == 2 and view.sent[0]["events"][0][1] == 2
    view._on_request(view, {"type": "need", "from": 3}, None)  # between cells: at once
    view._on_request(view, {"type": "need", "from": "x"}, None)
    assert [m["from"] for m in view.sent] == [2, 3]


def test_a_view_that_opens_late_starts_from_a_keyframe(cache: KVCacheManager) -> None:
    serve(cache, "Name it.")
    view = CacheView(cache)
    assert view.recording["keyframe"] == state_to_json(snapshot(cache))
    assert view.recording["events"] == []


def test_a_closed_view_listens_no_more(
    cache: KVCacheManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of_a_running_cell(cache, monkeypatch)
    view.close()
    serve(cache, "Name it.")
    assert view._events.end == 0


def test_a_long_log_forgets_its_oldest_events_into_the_keyframe() -> None:
    log = EventLog(State(64, 4), chr, max_bytes=4_000)
    cache = KVCacheManager(CacheConfig(num_blocks=64, block_size=4), emit=log.events.append)
    for k in range(30):
        cache.release(serve(cache, f"{k:08}"))
    log.to_json()
    assert 0 < log.start < log.end
    assert log.num_bytes <= 4_000
    assert log.state() == snapshot(cache)
    assert fold_all(log._keyframe, log.events) == snapshot(cache)


def test_a_lessons_log_is_kept_whole_and_a_long_one_is_cut_where_a_call_begins() -> None:
    whole, cut = EventLog(State(64, 4), chr), EventLog(State(64, 4), chr, max_bytes=4_000)
    cache = KVCacheManager(CacheConfig(num_blocks=64, block_size=4), emit=whole.events.append)
    for k in range(1_250):
        cache.release(serve(cache, f"{k:08}"))
    whole.to_json()
    assert whole.start == 0 and whole.num_bytes > 1_000_000
    cut.events += whole.events
    assert len(cut.to_json()["events"]) == cut.end - cut.start > 0
    assert type(cut.events[0]).__name__ == "SequenceStarted"


def test_a_failing_decode_breaks_nothing() -> None:
    log = EventLog(State(4, 4), lambda token: chr(-token))
    assert log.learn([3]) == {"3": "<3>"}


def test_messages_and_recording_name_the_cell(
    cache: KVCacheManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of_a_running_cell(cache, monkeypatch)
    ends = [0]
    for view._shell.execution_count, text in ((4, "Name it."), (5, ""), (9, "Who eats")):
        view._before_cell()
        if text:
            serve(cache, text)
        view._after_cell()
        ends.append(view._events.end)
    assert sorted({message["cell"] for message in view.sent}) == [4, 9]
    assert view.recording["cell"] == 9
    assert view.recording["cells"] == [(4, 0), (9, ends[1])] and ends[1] == ends[2] < ends[3]
    view.sent.clear()
    view._on_request(view, {"type": "need", "from": 0}, None)
    assert "cell" not in view.sent[0]  # old events call nobody back


def test_a_watched_tree_has_no_requests(cache: KVCacheManager) -> None:
    tree = watch(RadixTree(block_size=2), block_size=2, num_blocks=4)
    assert [CacheView(c).recording["requests"] for c in (cache, tree)] == [True, False]


def test_forks_are_remembered_when_the_log_forgets() -> None:
    log = EventLog(State(64, 4), max_bytes=2_000)
    cache = KVCacheManager(CacheConfig(num_blocks=64, block_size=4), emit=log.events.append)
    first = serve(cache, "Name it.")
    child = cache.fork(first)
    cache.release(cache.fork(first))
    for k in range(30):
        cache.release(serve(cache, f"{k:08}"))
    assert log.forks() == {child.id: first.id, child.id + 1: first.id}
    assert log.to_json()["forks"] == [(child.id, first.id)] and log.start > 0
    assert log.forks() == {child.id: first.id}


def test_a_tree_of_somebodys_own_shows_no_line_of_the_engine() -> None:
    class Own:
        def __init__(self) -> None:
            self.walk = RadixTree(block_size=2).walk

    ours, own = (watch(tree, 2, 4) for tree in (RadixTree(block_size=2), Own()))
    assert CacheView(ours).recording["sources"] == event_sources()
    assert CacheView(own).recording["sources"] == {}


def test_the_bundle_has_one_export_and_no_import() -> None:
    assert re.findall(r"^(?:import|export)\b.*", esm(), re.MULTILINE) == [
        "export default { render };"
    ]
    assert "innerHTML" not in esm() and "http://" not in css() and "https://" not in esm() + css()
