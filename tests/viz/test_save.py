"""`view.save` and `view.verdict`: the log of a view as one file, and as a verdict."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from radixlab.cache import KVCacheManager, RadixTree
from radixlab.config import CacheConfig
from radixlab.lesson.props.autopsy import investigate, suspect
from radixlab.observe import State, snapshot, watch
from radixlab.observe.kv_events import RemoteTree
from radixlab.observe.wire import event_from_json
from radixlab.viz import CacheView
from radixlab.viz.bundle import esm, page_js
from radixlab.viz.event_log import EventLog
from radixlab.viz.page import save_page
from tests.observe.lives import live, small_cache


def recording_in(path: Path) -> dict[str, Any]:
    found = re.search(r'id="recording">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    assert found
    return json.loads(found[1])


def test_a_saved_page_holds_the_log_of_the_view(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = small_cache()
    list(live(cache, 1, 20))
    view = CacheView(cache, chr, title="A <title>")
    list(live(cache, 2, 30))
    path = tmp_path / "run.html"
    view.save(path)
    recording = recording_in(path)
    size = path.stat().st_size / 1e6
    said = f"{path}: {len(recording['events'])} events, {size:.1f} MB\n"
    assert capsys.readouterr().out == said
    assert recording["title"] == "A <title>" and "<title>A &lt;title&gt;" in path.read_text("utf-8")
    events = [
        event_from_json({"type": type} | dict(zip(recording["fields"][type], values, strict=True)))
        for type, *values in recording["events"]
    ]
    assert events == view.feed.event_log.events
    assert view.feed.event_log.state() == snapshot(cache)


def test_a_log_that_has_forgotten_its_beginning_says_so(tmp_path: Path) -> None:
    log = EventLog(State(64, 4), max_bytes=4_000)
    cache = KVCacheManager(CacheConfig(num_blocks=64, block_size=4), emit=log.events.append)
    for k in range(60):
        cache.release(cache.allocate([k, 1, 2, 3, 4]))
    recording = log.to_json()
    assert log.start > 0
    said = save_page(tmp_path / "run.html", recording)
    assert f" from event {log.start:,} on; the log has forgotten those before, " in said


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    view = CacheView(small_cache())
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        view.save(tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]


def test_a_closed_view_says_that_it_has_no_log(tmp_path: Path) -> None:
    view = CacheView(small_cache())
    view.close()
    for call in (view.verdict, lambda: view.save(tmp_path / "run.html")):
        with pytest.raises(ValueError, match="this view is closed"):
            call()


def test_the_verdict_of_a_view_is_that_of_its_lamp() -> None:
    sound, broken = suspect(), suspect("H")
    views = [CacheView(engine) for engine in (sound, broken)]
    for engine in (sound, broken):
        investigate(engine, canary=False)
    assert views[0].verdict() is None
    fault = views[1].verdict()
    assert fault is not None and fault.rule == "L1"


def test_the_lamp_is_off_for_another_engines_tree() -> None:
    tree = watch(RadixTree(block_size=2), block_size=2, num_blocks=4)
    lamps = [
        CacheView(cache).feed.whole_recording()["lamp"]
        for cache in (small_cache(), tree, RemoteTree(16))
    ]
    assert lamps == [True, True, False]


def test_the_page_has_the_widgets_code_and_no_address() -> None:
    script = page_js()
    assert esm().replace("export default { render };\n", "") in script
    assert "export " not in re.findall(r"^\w+ ", script, re.MULTILINE)
    assert "innerHTML" not in script and "</script" not in script
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", script)
