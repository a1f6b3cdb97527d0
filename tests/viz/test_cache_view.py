import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from radixlab.cache import KVCacheManager, RadixTree
from radixlab.config import CacheConfig
from radixlab.observe import snapshot, state_to_json, watch
from radixlab.observe.state import State, fold_all
from radixlab.viz import CacheView, still, summary
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


class Shell:
    """As much of IPython's shell as a page asks for."""

    def __init__(self) -> None:
        self.history_manager = self
        self.input_hist_parsed = [""]
        self.user_ns: dict[str, Any] = {}
        self.displayhook = self
        self.events = self
        self.calls: dict[str, Any] = {}

    def register(self, name: str, call: Any) -> None:
        self.calls[name] = call

    def run(self, cell: str, work: Callable[[], object]) -> None:
        """Run a cell and keep what it returns, as `Out` does."""
        self.calls["pre_run_cell"](SimpleNamespace(cell_id=cell))
        self.input_hist_parsed.append(cell)
        result = work()
        if isinstance(result, CacheView):
            result._repr_mimebundle_()
            self.user_ns.setdefault("_oh", {})[len(self.user_ns.get("_oh", {}))] = result
            self.user_ns["_"] = result
        self.calls["post_run_cell"]()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell()
    monkeypatch.delenv("RADIXLAB_STATIC", raising=False)
    monkeypatch.setattr("radixlab.viz.recorded.get_ipython", lambda: shell)
    return shell


def sent_by(view: Any, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect the messages of a view's feed."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(view.feed, "send", lambda text: sent.append(json.loads(text)))
    return sent


def recorded(view: Any) -> dict[str, Any]:
    return json.loads(view.feed.recording) | {"keyframe": json.loads(view.feed.keyframe)}


def test_static_output_is_picture_and_text_only(
    cache: KVCacheManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    view = CacheView(cache, chr)
    serve(cache, "Name it.")
    data, metadata = view._repr_mimebundle_()
    assert data.keys() == {"text/plain", "image/png"} and view.comm is None
    assert data["text/plain"] == summary(snapshot(cache), chr) == view.snapshot().text
    alt = data["text/plain"].splitlines()[0]
    assert metadata == {"image/png": {"width": 864, "alt": alt}}
    assert alt.startswith("CacheView: 1 node, 12 of 64 blocks in use")


def test_a_live_view_draws_its_picture_for_who_asks_for_it(
    cache: KVCacheManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RADIXLAB_STATIC", raising=False)
    view = CacheView(cache)
    drawn: list[object] = []
    monkeypatch.setattr(
        "radixlab.viz.cache_view.still", lambda *parts: drawn.append(parts) or still(*parts)
    )
    data, _ = view._repr_mimebundle_()
    assert data.keys() == {"text/plain", WIDGET} and not drawn
    assert data["text/plain"].startswith("CacheView: 0 nodes, 0 of 64 blocks in use")
    assert not drawn and view.snapshot().text == data["text/plain"]
    data, metadata = view._repr_mimebundle_(include={"image/png", "text/plain"})
    assert len(drawn) == 1 and metadata["image/png"]["alt"] == data["text/plain"].splitlines()[0]


def test_messages_and_recording_hold_every_event_once(
    cache: KVCacheManager, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radixlab.viz.feed.SEND_EVERY_S", 0)
    monkeypatch.setattr("radixlab.viz.feed.MOST_TIME", 1e9)
    view = CacheView(cache, chr, title="t")
    sent = sent_by(view, monkeypatch)
    shell.run("a", lambda: [serve(cache, text) for text in ("Name it.", "Who eats")])
    assert [row[1] for m in sent for row in m["events"]] == list(range(view.feed.event_log.end))
    assert len(sent) > 2 and len(recorded(view)["events"]) == view.feed.event_log.end
    assert recorded(view)["vocab"]["84"] == "T" and view.title == "t"


def test_messages_are_bundled(
    cache: KVCacheManager, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radixlab.viz.feed.SEND_EVERY_S", 3600)
    view = CacheView(cache)
    view.feed._send_new()
    sent = sent_by(view, monkeypatch)
    shell.run("a", lambda: [serve(cache, "Name it."), sent.append({})])
    assert sent[0] == {} and len(sent) == 2 and sent[1]["from"] == 0


def test_a_request_waits_for_the_end_of_the_cell(
    cache: KVCacheManager, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = CacheView(cache)
    shell.run("a", lambda: serve(cache, "Name it."))
    sent = sent_by(view, monkeypatch)

    def ask() -> None:
        view.feed._on_request(view, {"type": "need", "from": 2}, None)
        assert sent == []

    shell.run("b", ask)
    assert sent[0]["from"] == 2 and sent[0]["events"][0][1] == 2
    view.feed._on_request(view, {"type": "need", "from": 3}, None)  # between cells: at once
    view.feed._on_request(view, {"type": "need", "from": "x"}, None)
    assert [m["from"] for m in sent] == [2, 3]
    assert "cell" not in sent[0]  # old events call nobody back


def test_a_view_that_opens_late_starts_from_a_keyframe(cache: KVCacheManager) -> None:
    serve(cache, "Name it.")
    view = CacheView(cache)
    assert recorded(view)["keyframe"] == state_to_json(snapshot(cache))
    assert recorded(view)["events"] == []


def test_a_closed_view_listens_no_more(cache: KVCacheManager, shell: Shell) -> None:
    view, other = CacheView(cache), CacheView(cache)
    feed = view.feed
    assert feed is other.feed
    view.close()
    serve(cache, "Name it.")
    assert (known := feed.event_log.end) > 0
    other.close()
    serve(cache, "Who eats")
    assert feed.event_log.end == known and cache.emit is None


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
    for k in range(1_400):
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
    cache: KVCacheManager, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = CacheView(cache)
    sent, ends = sent_by(view, monkeypatch), [0]
    for text in ("Name it.", "", "Who eats"):
        shell.run(text, lambda text=text: text and serve(cache, text))
        ends.append(view.feed.event_log.end)
    assert sorted({message["cell"] for message in sent}) == [1, 3]
    assert recorded(view)["cell"] == 3
    assert recorded(view)["cells"] == [[1, 0], [3, ends[1]]] and ends[1] == ends[2] < ends[3]


def test_a_watched_tree_has_no_requests(cache: KVCacheManager) -> None:
    tree = watch(RadixTree(block_size=2), block_size=2, num_blocks=4)
    assert [recorded(CacheView(c))["requests"] for c in (cache, tree)] == [True, False]


def test_forks_are_remembered_when_the_log_forgets() -> None:
    log = EventLog(State(64, 4), max_bytes=2_000)
    cache = KVCacheManager(CacheConfig(num_blocks=64, block_size=4), emit=log.events.append)
    first = serve(cache, "Name it.")
    child = cache.fork(first)
    cache.release(cache.fork(first))
    for k in range(30):
        cache.release(serve(cache, f"{k:08}"))
    assert log.forks() == {child.id: first.id, child.id + 1: first.id}
    assert log.to_json()["forks"] == [[child.id, first.id]] and log.start > 0
    assert log.forks() == {child.id: first.id}


def test_a_tree_of_somebodys_own_shows_no_line_of_the_engine() -> None:
    class Own:
        def __init__(self) -> None:
            self.walk = RadixTree(block_size=2).walk

    ours, own = (watch(tree, 2, 4) for tree in (RadixTree(block_size=2), Own()))
    assert recorded(CacheView(ours))["sources"] == event_sources()
    assert recorded(CacheView(own))["sources"] == {}


def test_the_bundle_has_one_export_and_no_import() -> None:
    assert re.findall(r"^(?:import|export)\b.*", esm(), re.MULTILINE) == [
        "export default { render };"
    ]
    assert "innerHTML" not in esm() and "http://" not in css() and "https://" not in esm() + css()
