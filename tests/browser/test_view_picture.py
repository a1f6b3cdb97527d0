"""The picture's scale, colours and texts: large caches, contrast, sizes, hostile tokens, tools."""

from typing import Any

import pytest

from radixlab import events as ev
from radixlab.observe.state import State, fold_all
from radixlab.viz.event_log import EventLog
from tests.browser.blank_page import (
    END,
    EVENTS,
    NEEDS_CHROMIUM,
    PROMPT,
    START,
    expect_position,
    lit,
    playwright,
    press,
    recording,
    settle,
)

pytestmark = NEEDS_CHROMIUM

NUM_NODES, NUM_BLOCKS = 10_000, 100_000


def end_of(sequence: int, tick: int) -> list[Any]:
    """Free what a request has taken, and end it."""
    blocks = ((95_000 + 10 * sequence, 2),)
    return [
        ev.RequestFinished(0, tick, sequence, "released", tick),
        ev.BlocksFreed(0, tick, sequence, blocks),
    ]


def large_recording() -> dict[str, Any]:
    """A tree of 10,000 nodes over 100,000 blocks, and requests that come and go over it."""
    log: list[Any] = []
    for i in range(NUM_NODES):
        parent = None if i < 2 else i // (2 + i % 9)
        tokens = tuple(map(ord, f"{i:04}"))
        stored = ev.BlockStored(i, 0, i, parent, None, None, 0, ((9 * i, 1),), i, tokens)
        log.append(stored)
    events = EventLog(fold_all(State(NUM_BLOCKS, 4), log), chr)
    for k in range(30):
        leaf, block, tick = NUM_NODES - 1 - 7 * k, 95_000 + 10 * k, NUM_NODES + k
        events.events += [
            ev.SequenceStarted(0, k, k, None, tuple(map(ord, f"request {k:04}"))),
            ev.PrefixMatched(0, k, k, leaf, 4, 12, "never_seen", None, tick),
            ev.BlocksAllocated(0, k, k, ((block, 2),)),
            *(end_of(k - 5, tick) if k >= 5 else []),
        ]
    events.events.append(
        ev.BlockRemoved(0, 60, NUM_NODES - 1, ((9 * NUM_NODES - 9, 1),), "least recent", 1)
    )
    return dict(events.to_json()) | {"title": "large"}


MAP_PIXELS = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].join()"


@pytest.mark.soak
def test_a_large_cache_is_alive(open_page: Any) -> None:
    """100,000 blocks, 10,000 nodes: marks, legend, hover, links, folds, search, zoom answer."""
    record = large_recording()
    page = open_page(record)
    end = len(record["events"])
    expect_position(page, end, end)
    assert 5 < page.locator("[data-node].rx-card").count() < 400
    before = page.eval_on_selector(".rx-map", MAP_PIXELS)
    press(page, "ArrowLeft")  # takes the mark of the eviction away
    expect_position(page, end - 1, end)
    settle(page)
    without = page.eval_on_selector(".rx-map", MAP_PIXELS)
    assert before != without
    page.locator(".rx-legend button", has_text="cached").click()
    settle(page)
    assert page.eval_on_selector(".rx-map", MAP_PIXELS) != without
    page.hover(".rx-map", position={"x": 3, "y": 3})
    playwright.expect(page.locator(".rx-note")).to_contain_text("blocks 0 to 24: ")
    assert {0, 1, 2} & lit(page, "node")
    press(page, "/")
    page.keyboard.type("node 9876")
    playwright.expect(page.locator(".rx-card[data-node='9876']")).to_have_count(1)
    assert lit(page, "node") == {9876}
    closed = page.locator(".rx-card:not(.rx-gone) [data-fold]:not(.rx-fold-open)")
    assert "below" in closed.first.inner_text()
    opened = closed.first.evaluate("(sign) => sign.click() || sign.dataset.fold")
    playwright.expect(page.locator(f"[data-fold='{opened}']")).to_have_class("rx-fold rx-fold-open")
    page.get_by_role("button", name="Zoom out").click()
    assert page.locator(".rx-minimap").is_visible()


# The best contrast with the paper of anything that a legend swatch is made of: fill, edge, outline.
SWATCHES = """() => {
  const paper = getComputedStyle(document.querySelector(".rx-view")).backgroundColor;
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const luminance = (color) => {
    for (context.fillStyle of [paper, color]) context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (color) => {
    const [low, high] = [luminance(color), luminance(paper)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const best = (button) => {
    const style = getComputedStyle(button.querySelector(".rx-swatch"));
    const shadows = style.boxShadow.match(/(rgba?|color)\\([^)]*\\)/g) ?? [];
    const colors = [style.backgroundColor, ...shadows];
    if (style.outlineStyle !== "none") colors.push(style.outlineColor);
    if (style.borderTopWidth !== "0px") colors.push(style.borderTopColor);
    return Math.max(...colors.map(ratio));
  };
  const buttons = [...document.querySelectorAll(".rx-legend button")];
  return buttons.map((button) => [button.innerText, best(button)]);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_the_legend_stands_out_or_has_an_edge(open_page: Any, scheme: str) -> None:
    page = open_page(recording(EVENTS), color_scheme=scheme)
    expect_position(page, END)
    ratios = page.evaluate(SWATCHES)
    assert len(ratios) >= 9
    assert [entry for entry in ratios if entry[1] < 3] == []


SMALL = """() => [...document.querySelectorAll(".rx-view *")]
  .filter((el) => [...el.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
  .filter((el) => parseFloat(getComputedStyle(el).fontSize) < 11)
  .map((el) => el.className)"""


def test_no_text_is_smaller_than_eleven_pixels(open_page: Any) -> None:
    page = open_page(recording(EVENTS))
    expect_position(page, END)
    assert page.evaluate(SMALL) == []
    after = "el => getComputedStyle(el, '::after').fontSize"
    assert page.eval_on_selector(".rx-cell.rx-s4", after) == "11px"


def test_calm_readers_see_no_motion(open_page: Any) -> None:
    page = open_page(recording(EVENTS), reduced_motion="reduce")
    expect_position(page, END)
    moving = """() => [...document.querySelectorAll(".rx-view, .rx-view *")]
      .map((el) => getComputedStyle(el))
      .filter((style) => style.transitionProperty !== "none" || style.animationName !== "none")
      .filter((style) => parseFloat(style.transitionDuration) || style.animationName !== "none")
      .length"""
    assert page.evaluate(moving) == 0


HOSTILE = {
    "markup": "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>",
    "right to left override": "abc\u202edef",
    "embedding": "\u202b\u202a\u202d\u202c",
    "isolates": "\u2066x\u2067y\u2068z\u2069",
    "marks": "\u200e\u200f\u061c",
    "NUL": "a\x00b",
    "escape": "\x1b[31mred",
    "high surrogate": "\ud83d",
    "low surrogate": "\ude00x",
    "long": "long" * 2500,
    "emoji": "👩\u200d👩\u200d👧 🇳🇴",
    "CJK": "日本語のトークン",
    "line separators": "\u2028\u2029\u0085",
    "tags": "\U000e0041\U000e007f",
    "combining": "e" + "\u0301" * 500,
}
BIDI = "[\\u202a-\\u202e\\u2066-\\u2069\\u200e\\u200f\\u061c]"


def test_hostile_tokens_are_shown_and_do_nothing(open_page: Any) -> None:
    """Each of them is a token, in the tree, the sequences, titles and search, and in the title."""
    hostile = list(HOSTILE.values())
    page = open_page(recording([], title=" ".join(hostile)))
    vocab = {str(k): hostile[k % len(hostile)] for k in range(128)}
    send = "([events, vocab]) => model.receive({ from: 0, events, vocab })"
    page.evaluate(send, [recording(EVENTS)["events"], vocab])
    expect_position(page, END)  # the listener is alive
    press(page, "/")
    page.keyboard.type("a")
    press(page, "ArrowLeft", "ArrowRight")
    expect_position(page, END)
    assert page.evaluate("window.hacked") is None
    assert page.locator(".rx-view img, .rx-view script").count() == 0
    everything = """() => document.querySelector(".rx-view").textContent
      + [...document.querySelectorAll(".rx-view [title], .rx-view [aria-label]")]
        .map((el) => el.title + el.getAttribute("aria-label")).join("")"""
    seen = page.evaluate(everything)
    assert page.evaluate("([text, bad]) => new RegExp(bad).test(text)", [seen, BIDI]) is False
    assert page.evaluate("(text) => text.isWellFormed()", seen)
    assert "\\u202e" in seen and "␀" in seen and "日本語" in seen
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = "all => all.filter((el) => el.scrollHeight > el.clientHeight + 1).length"
    assert page.eval_on_selector_all(".rx-card", cut) == 0


NAMES = [*HOSTILE.values(), "acme-corporation-in-production-7", "日本語" * 9, "x"]
ROOTS = """() => [...document.querySelectorAll(".rx-root")].map(
  (el) => [el.textContent + el.title, el.scrollWidth - el.clientWidth])"""


@pytest.mark.parametrize("names", [NAMES[::2], NAMES[1::2]], ids=["even", "odd"])
def test_names_of_namespaces_are_shown_and_fit(open_page: Any, names: list[str]) -> None:
    """Each of the hostile texts as a salt, and long names: a root each, all of them in sight."""
    log = EventLog(START, chr)
    log.events += [
        ev.BlockStored(0, 0, k, None, ("salt", name), None, 0, ((k, 1),), 1, PROMPT[:4])
        for k, name in enumerate(names, 1)
    ]
    page = open_page({**log.to_json(), "title": "", "sources": {}})
    playwright.expect(page.locator(".rx-root")).to_have_count(len(names))
    said = page.evaluate(ROOTS)
    assert [text for text, wider in said if wider > 1] == []
    everything = "".join(text for text, _ in said)
    assert page.evaluate("([text, bad]) => new RegExp(bad).test(text)", [everything, BIDI]) is False
    assert all(
        name in everything
        for name in names
        if name.isascii() and name.isprintable() and len(name) < 40
    )


def test_the_map_can_show_owners_references_and_ages(page: Any) -> None:
    pictures = []
    for mode in ("standing", "owner", "references", "age"):
        page.select_option("select.rx-tool", mode)
        settle(page)
        pictures.append(page.eval_on_selector(".rx-map", MAP_PIXELS))
    assert len(set(pictures)) == 4
    page.hover(".rx-map", position={"x": 14 * 27 + 10, "y": 10})
    assert lit(page, "node") == {4}


SEEK = """(at) => {
  const scrub = document.querySelector(".rx-scrub");
  scrub.value = at;
  scrub.dispatchEvent(new Event("input"));
}"""
CANVASES = """async () => {
  for (let k = 0; k < 2; k += 1) await new Promise((painted) => requestAnimationFrame(painted));
  return [...document.querySelectorAll(".rx-map, .rx-lanes")].map((canvas) => canvas.toDataURL());
}"""


DRAW_ALL = "document.body.classList.toggle('another-look')"


@pytest.mark.parametrize("num_blocks", [64, 700, 9_000], ids=["numbers", "small", "aggregated"])
def test_what_is_kept_of_a_map_shows_in_no_picture(open_page: Any, num_blocks: int) -> None:
    """A map that has been at other positions looks like one of which everything is drawn again."""
    log = EventLog(State(num_blocks, 4), chr)
    log.events += EVENTS
    page = open_page({**log.to_json(), "title": "", "sources": {}})
    dim = page.locator(".rx-legend button", has_text="shared").click
    for position, mode, is_dim in [(END, "standing", False), (9, "age", False),
                                  (END - 1, "standing", True), (14, "owner", False),
                                  (END, "references", False), (16, "standing", False)]:  # fmt: skip
        page.evaluate(SEEK, position)
        page.select_option("select.rx-tool", mode)
        if is_dim:
            dim()
        kept = page.evaluate(CANVASES)
        page.evaluate(DRAW_ALL)
        assert kept == page.evaluate(CANVASES), (position, mode)
        if is_dim:
            dim()


GREEN = """(block) => {
  const canvas = document.querySelector(".rx-map");
  const side = 27 * devicePixelRatio; // of a map of 64 blocks on a page of 932 pixels
  const { data } = canvas.getContext("2d").getImageData(block * side, 0, side, side);
  let count = 0;
  for (let k = 0; k < data.length; k += 4) {
    count += Math.hypot(data[k] - 0, data[k + 1] - 158, data[k + 2] - 115) < 30;
  }
  return count / (side * side);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_private_block_is_green_under_each_mark(open_page: Any, scheme: str) -> None:
    """New, and without a mark: only its outline is green, and a mark is an outline too."""
    page = open_page(recording(EVENTS), color_scheme=scheme)
    for position in (3, END):  # its blocks are taken; a copy that is private
        page.evaluate(SEEK, position)
        page.evaluate(CANVASES)
        block = 2 if position == 3 else 20
        assert page.evaluate(GREEN, block) > 0.2
        chip = page.locator(f".rx-sequences [data-block='{block}'] .rx-cell")
        assert "rgb(0, 158, 115)" in chip.evaluate("el => getComputedStyle(el).boxShadow")


COUNT_DRAWN = """() => {
  window.drawn = 0;
  const pen = CanvasRenderingContext2D.prototype;
  for (const name of ["fillRect", "strokeRect", "fillText", "fill", "stroke"]) {
    const draw = pen[name];
    pen[name] = function (...values) { drawn += 1; return draw.apply(this, values); };
  }
}"""


def test_a_step_draws_only_what_has_changed(open_page: Any) -> None:
    """Of 700 blocks and all marks of the timeline, one step draws the blocks that it changes."""
    log = EventLog(State(700, 4), chr)
    log.events += EVENTS
    page = open_page({**log.to_json(), "title": "", "sources": {}})
    page.evaluate(CANVASES)
    page.evaluate(COUNT_DRAWN)
    press(page, "ArrowLeft", "ArrowRight")
    page.evaluate(CANVASES)
    assert 0 < page.evaluate("drawn") < 40


def test_a_range_has_sums(page: Any) -> None:
    box = page.locator(".rx-track").bounding_box()
    x, y = box["x"] + 8, box["y"] + 20
    page.keyboard.down("Shift")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"], y, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    sums = page.locator(".rx-sums")
    playwright.expect(sums).to_contain_text(
        f"events 1 to {END}: 3 prefix matches, 80 of 144 prompt tokens found (55.6 %)"
    )
    playwright.expect(sums).to_contain_text("1 split · 1 copy")
    expect_position(page, END)  # the scrubber has not moved
    press(page, "Escape")
    playwright.expect(sums).to_be_hidden()
    press(page, "Home", *["ArrowRight"] * 2, "[", "End", "]")
    playwright.expect(sums).to_contain_text(f"events 3 to {END}: ")


def test_the_drawer_shows_the_line_that_ran(page: Any) -> None:
    assert page.locator(".rx-drawer").is_hidden()  # this event's site is not known
    press(page, "Home", *["ArrowRight"] * 7)
    page.click(".rx-drawer summary")
    playwright.expect(page.locator(".rx-code-lit")).to_contain_text("NodeSplit(")
    playwright.expect(page.locator(".rx-values")).to_contain_text("upper_id")
    press(page, "ArrowRight")
    playwright.expect(page.locator(".rx-drawer")).to_be_hidden()


def test_sparklines_are_drawn_once_and_their_cursor_moves(page: Any) -> None:
    drawn = """() => [...document.querySelectorAll(".rx-spark")].map((spark) => [
      spark.querySelector("polyline").getAttribute("points"),
      spark.querySelector("line").getAttribute("x1"),
    ])"""
    whole = f"() => ({drawn})().every(([points]) => points.split(' ').length > 10)"
    page.wait_for_function(whole)
    lines, at_end = zip(*page.evaluate(drawn), strict=True)
    assert len(lines) == 6
    press(page, "Home")
    playwright.expect(page.locator(".rx-where")).to_contain_text("event 0 of")
    again, at_start = zip(*page.evaluate(drawn), strict=True)
    assert again == lines
    assert all(float(end) > float(start) for start, end in zip(at_start, at_end, strict=True))
