"""One offline file: the whole player and the log, opened from the disk without a network."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.events import Event
from radixlab.observe import attach, snapshot
from radixlab.observe.lamp import first_fault
from radixlab.observe.state import State
from radixlab.viz.page import page as page_text
from radixlab.viz.page import save_page, whole_recording
from tests.browser.blank_page import NEEDS_CHROMIUM, playwright
from tests.observe.lives import live, small_cache
from tests.viz.lamp.logs import TREES, suspect_log, tree_log
from tests.viz.lamp.test_lamp import BROKEN, below_zero, loses_the_suffix, one_half
from tests.viz.share.test_jsonl import FOREIGN, recorded

pytestmark = NEEDS_CHROMIUM

HOSTILE = [
    "</script><script>window.pwned = 1</script>",
    "<!--<script>",
    "<img src=x onerror='window.pwned = 1'>",
    "]]>",
    "\u2028\u2029\u0000\u202e\ud800",
    "\"}'`${window.pwned = 1}`",
    "</style></title><base href='http://example.invalid'>",
]


@pytest.fixture
def open_file(browser: Any) -> Iterator[Any]:
    """Open a file with the network off; it asks for nothing, and raises no error."""
    contexts, errors, asked = [], [], []

    def open_file(path: Path) -> Any:
        context = browser.new_context(offline=True, viewport={"width": 1000, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert errors == []
    assert all(url.startswith("file:") for url in asked)


def a_run(seed: int = 3) -> tuple[State, list[Event]]:
    cache, events = small_cache(), list[Event]()
    start = snapshot(cache)
    attach(cache, events.append)
    list(live(cache, seed))
    return start, events


def expect(page: Any, selector: str, text: str) -> None:
    playwright.expect(page.locator(selector)).to_contain_text(text, timeout=60_000)


def test_hostile_text_stays_text(tmp_path: Path, open_file: Any) -> None:
    decode = [*HOSTILE, "plain"]
    recording = whole_recording(*a_run(), lambda token: decode[token], "".join(HOSTILE))
    assert page_text(recording).count("</script>") == 2
    save_page(tmp_path / "run.html", recording)
    page = open_file(tmp_path / "run.html")
    expect(page, ".rx-where", f"of {len(recording['events'])}")
    seen = "[window.pwned, document.querySelectorAll('script, img, base').length]"
    assert page.evaluate(seen) == [None, 2]


def a_long_run(num_events: int) -> tuple[State, list[Event]]:
    """Requests with shared prefixes, which grow token by token, in a pool of 1,024 blocks.

    It ends with a whole call, so there may be a few more events.
    """
    draw, events, running = random.Random(0), list[Event](), list[Any]()
    cache = KVCacheManager(CacheConfig(1024, 16, explain=True))
    start = snapshot(cache)
    attach(cache, events.append)
    prefixes = [[draw.randrange(32_000) for _ in range(256)] for _ in range(12)]
    while len(events) < num_events:
        own = [draw.randrange(32_000) for _ in range(draw.randrange(20, 200))]
        sequence = cache.allocate(draw.choice(prefixes)[: draw.randrange(64, 257)] + own)
        cache.commit(sequence, sequence.num_tokens)
        running.append(sequence)
        for _ in range(20):
            cache.complete(cache.append(sequence, [draw.randrange(32_000)]))
        if len(running) > 8:
            cache.release(running.pop(draw.randrange(len(running))))
    return start, events


@pytest.mark.parametrize("num_events", [2_000, pytest.param(20_000, marks=pytest.mark.soak)])
def test_a_long_run_opens_and_steps(
    tmp_path: Path, open_file: Any, record_property: Any, num_events: int
) -> None:
    start, events = a_long_run(num_events)
    num_events = len(events)
    said = save_page(tmp_path / "run.html", whole_recording(start, events))
    assert said.startswith(f"{tmp_path / 'run.html'}: {num_events} events, ")
    assert said.endswith(" MB")
    page = open_file(tmp_path / "run.html")
    expect(page, ".rx-where", f"event {num_events:,} of {num_events:,}")
    record_property("milliseconds to the first picture", page.evaluate("performance.now()"))
    page.click("[data-action=back]")
    expect(page, ".rx-where", f"event {num_events - 1:,} of {num_events:,}")
    expect(page, ".rx-lamp", "green: no event here breaks a rule")


def test_a_recording_replaces_the_log(tmp_path: Path, open_file: Any) -> None:
    text = recorded(tmp_path / "dropped.jsonl", 5)
    save_page(tmp_path / "run.html", whole_recording(*a_run()))
    page = open_file(tmp_path / "run.html")
    page.set_input_files("input[type=file]", tmp_path / "dropped.jsonl")
    num_events = len(text.splitlines()) - 1
    expect(page, ".rx-where", f"event {num_events} of {num_events}")
    expect(page, ".rx-title", "dropped.jsonl")
    expect(page, ".rx-page-line", f"dropped.jsonl: {num_events} events")
    page.click("[data-action=back]")
    expect(page, ".rx-where", f"event {num_events - 1} of")


DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const options = { dataTransfer: data, bubbles: true, cancelable: true };
  document.dispatchEvent(new DragEvent("drop", options));
}"""


def test_a_file_that_cannot_be_shown_gets_one_line_and_changes_nothing(
    tmp_path: Path, open_file: Any
) -> None:
    start, events = a_run()
    save_page(tmp_path / "run.html", whole_recording(start, events))
    page = open_file(tmp_path / "run.html")
    expect(page, ".rx-where", f"of {len(events)}")
    for name, text in FOREIGN.items():
        page.evaluate(DROP, [f"{name}.jsonl", text])
        expect(page, ".rx-page-line", f"{name}.jsonl: ")
        assert "\n" not in page.inner_text(".rx-page-line").strip()
        expect(page, ".rx-where", f"of {len(events)}")
        assert page.locator(".rx-error").is_hidden()


def test_the_lamp_shows_a_buggy_tree_and_jumps_to_the_event(tmp_path: Path, open_file: Any) -> None:
    for prepare in (one_half, below_zero, loses_the_suffix):
        rule, what = BROKEN[prepare]
        start, events = tree_log(
            TREES.wrong[prepare.__name__], lambda tree, prepare=prepare: prepare(tree)()
        )
        fault = first_fault(start, events)
        assert fault is not None
        save_page(tmp_path / "tree.html", whole_recording(start, events))
        page = open_file(tmp_path / "tree.html")
        expect(page, ".rx-lamp-text", f"event {fault.position}: {rule} is broken: {what}")
        page.click("[data-action=first]")
        expect(page, ".rx-lamp-text", f"green up to here, red from event {fault.position}")
        page.click("[data-action=firstRed]")
        expect(page, ".rx-where", f"event {fault.position} of {len(events)}")
        assert page.locator(".rx-lamp").get_attribute("data-color") == "red"
        assert page.locator("[data-action=firstRed]").is_hidden()


def test_an_event_that_does_not_fit_lights_the_lamp(tmp_path: Path, open_file: Any) -> None:
    start, events = suspect_log("E")
    save_page(tmp_path / "e.html", whole_recording(start, events))
    page = open_file(tmp_path / "e.html")
    expect(page, ".rx-error", "this recording stops at event")
    expect(page, ".rx-lamp-text", "E6 is broken: node 3 was locked, but it is gone")
