"""Predict mode in Chromium: it stops before an event, hides the answer, and judges the pick."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from radixlab import events as ev
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.events import Event
from radixlab.lesson import encode
from radixlab.lesson.serving import serve
from radixlab.observe.state import State
from radixlab.viz.event_log import EventLog
from tests.browser.blank_page import NEEDS_CHROMIUM, playwright

pytestmark = NEEDS_CHROMIUM
expect = playwright.expect


def story() -> list[Event]:
    """Two splits, a copy and an eviction by age."""
    events: list[Event] = []
    cache = KVCacheManager(CacheConfig(num_blocks=16, block_size=4), emit=events.append)
    for text in ("You are a cat. Meow?", "Count the stars.", "You are a cat. Purr!"):
        serve(cache, encode(text))
    one = cache.allocate(encode("You are a poet"))
    cache.commit(one, one.num_tokens)
    two = cache.fork(one)
    cache.complete(cache.append(one, encode("s")))
    for sequence in (one, two):
        cache.release(sequence)
    serve(cache, encode("Where does the sun go?"))
    return events


EVENTS = story()
SPLIT, _, COPY, EVICTION = (
    k
    for k, event in enumerate(EVENTS)
    if isinstance(event, (ev.NodeSplit, ev.BlockCopied, ev.BlockRemoved))
)


def recording(events: list[Event]) -> dict[str, Any]:
    log = EventLog(State(16, 4), chr)
    log.events += events
    return {**log.to_json(), "title": "a title", "sources": {}}


def others() -> Iterator[tuple[int, Event]]:
    """The events that are asked about, each with another answer."""
    yield SPLIT, replace(EVENTS[SPLIT], num_blocks=1)
    yield COPY, replace(EVENTS[COPY], src=0)
    yield EVICTION, replace(EVENTS[EVICTION], node_id=2, block_runs=((7, 2),), tick=4)


SEEN = """() => {
  const view = document.querySelector(".rx-view").cloneNode(true);
  for (const hidden of view.querySelectorAll("[hidden]")) hidden.remove();
  const pictures = [...document.querySelectorAll("canvas:not([hidden])")];
  return [view.outerHTML, view.innerText, ...pictures.map((canvas) => canvas.toDataURL())];
}"""


# The words come after a pause, the sparklines and the lamp when the page is idle; cards fade away.
AT_REST = """() => {
  const view = document.querySelector(".rx-view");
  const position = Number(/event (\\d+) of/.exec(view.querySelector(".rx-where").textContent)[1]);
  const spoken = view.querySelector(".rx-words[role=img]").getAttribute("aria-label");
  return view.querySelector("pre.rx-words").textContent.startsWith(`${spoken}\\n`)
    && view.querySelector(".rx-spark polyline").points.numberOfItems === position + 1
    && view.querySelector(".rx-lamp").dataset.color !== "none"
    && !view.querySelector(".rx-gone");
}"""


def seen(page: Any) -> list[str]:
    """All that a page holds at the open question: markup, titles, spoken text, pixels."""
    page.locator(".rx-predict-on").click()
    expect(page.locator(".rx-predict-question")).to_be_visible()
    page.wait_for_function(AT_REST)
    page.wait_for_timeout(300)  # and if the words were those of a state before
    return [
        re.sub(r"rx-(words|node|seq)-[0-9a-z]+", r"rx-\1", part) for part in page.evaluate(SEEN)
    ]


@pytest.mark.parametrize("at, other", list(others()), ids=["split", "copy", "eviction"])
def test_nothing_on_the_page_depends_on_the_answer(open_page, at, other):
    twins = [recording([*EVENTS[:at], event]) for event in (EVENTS[at], other)]
    one, two = map(open_page, twins)  # each shows its end first, and so the answer
    for page in (one, two):
        page.evaluate(SKIP_TO, at - 1)
    for mine, theirs in zip(seen(one), seen(two), strict=True):
        assert mine == theirs


SKIP_TO = """(at) => {
  const scrub = document.querySelector(".rx-scrub");
  scrub.value = at;
  scrub.dispatchEvent(new Event("input"));
}"""


@pytest.fixture
def page(open_page: Any) -> Any:
    """A page at the question about the eviction."""
    page = open_page(recording(EVENTS))
    page.evaluate(SKIP_TO, EVICTION - 1)
    page.locator(".rx-predict-on").click()
    expect(page.locator(".rx-where")).to_contain_text(f"event {EVICTION} of")
    return page


def test_a_click_is_judged_with_the_why_line_and_the_ticks_on_the_nodes(page):
    assert page.locator(".rx-score").count() == 0
    page.locator(".rx-card[data-node='2'] .rx-label").click()
    said = page.locator(".rx-predict-said")
    expect(said).to_contain_text("Not node 2: it may go, but the policy chose another one.")
    expect(said).to_contain_text("evicted node 1 (2 blocks): leaf, unlocked, least recent (tick 2)")
    expect(page.locator(".rx-card[data-node='1'] .rx-score")).to_have_text("tick 2 ◀ this one")
    expect(page.locator(".rx-card[data-node='2'] .rx-score")).to_have_text("tick 4")
    expect(page.locator(".rx-predict-score")).to_have_text("0 of 1 right")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".rx-where")).to_contain_text(f"event {EVICTION + 1} of")
    expect(page.locator(".rx-score")).to_have_count(0)


def test_a_step_and_a_play_stop_before_the_question(page):
    page.locator(".rx-view").focus()
    for key in ("ArrowRight", "shift+ArrowRight".replace("shift", "Shift"), " "):
        page.keyboard.press(key)
        page.wait_for_timeout(400)
        expect(page.locator(".rx-where")).to_contain_text(f"event {EVICTION} of")
    expect(page.locator(".rx-predict-question")).to_contain_text("(least recent first)")


def test_only_the_keyboard_answers_skips_and_leaves(page):
    page.locator(".rx-view").press("Tab")  # a focus by keyboard
    page.locator(".rx-tree").focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    node = page.locator(".rx-card.rx-cursor").get_attribute("data-node")
    page.keyboard.press("ArrowUp" if node == "4" else "ArrowRight")
    expect(page.locator(".rx-card.rx-cursor")).to_have_attribute("data-node", "1")
    page.keyboard.press("Enter")
    expect(page.locator(".rx-predict-right")).to_contain_text("Right, node 1.")
    expect(page.locator(".rx-predict-said")).to_have_attribute("role", "status")


def test_a_number_can_be_typed_and_escape_leaves(page):
    field = page.locator(".rx-predict input")
    field.focus()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    expect(page.locator(".rx-predict-wrong")).to_contain_text("Not node 5: it has children")
    page.evaluate(SKIP_TO, 0)
    page.locator(".rx-predict button", has_text="Next question").press("Enter")
    expect(page.locator(".rx-predict-prompt")).to_have_text("You are a cat. Purr!")
    page.locator(".rx-predict button", has_text="Skip").press("Enter")
    expect(page.locator(".rx-predict-score")).to_have_text("0 of 2 right")
    page.locator(".rx-predict button", has_text="Next question").press("Enter")
    page.locator(".rx-view").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".rx-predict")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".rx-predict")).to_be_hidden()


def test_what_arrives_is_stopped_before_the_first_question(open_page):
    page = open_page(recording(EVENTS[:SPLIT]))
    page.locator(".rx-predict-on").click()
    expect(page.locator(".rx-predict-question")).to_contain_text("Nothing to predict")
    log = EventLog(State(16, 4), chr)
    log.events += EVENTS
    rows, vocab = log.rows(SPLIT)
    page.evaluate(
        "(message) => model.receive(message)", {"from": SPLIT, "events": rows, "vocab": vocab}
    )
    expect(page.locator(".rx-where")).to_contain_text(f"event {SPLIT} of {len(EVENTS)}")
    expect(page.locator(".rx-predict-question")).to_contain_text("Where is the node split?")
    page.locator(".rx-card[data-node='1'] .rx-cell[data-block='2']").click()
    expect(page.locator(".rx-predict-right")).to_contain_text("Right, after block 2.")
