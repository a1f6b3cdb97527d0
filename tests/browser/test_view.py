"""The live view on a blank page in Chromium, with a stand-in for the widget's model."""

from typing import Any

import pytest

from radixlab import events as ev
from radixlab.observe.state import State, fold_all
from radixlab.viz.event_log import EventLog
from radixlab.viz.text import headline, summary
from tests.browser.blank_page import (
    END,
    EVENTS,
    NEEDS_CHROMIUM,
    PROMPT,
    SEND,
    expect_position,
    lit,
    playwright,
    press,
    recording,
    settle,
    texts,
)

pytestmark = NEEDS_CHROMIUM


def test_paints_the_whole_state(page: Any) -> None:
    assert texts(page, ".rx-seq b") == ["sequence 0", "sequence 2", "sequence 3"]
    assert page.locator(".rx-card:not(.rx-gone)").count() == 3
    assert "The capital of France" in page.locator('.rx-card[data-node="2"]').inner_text()
    assert texts(page, ".rx-pool-text b") == ["15", "0", "49", "64"]
    assert texts(page, ".rx-numbers b") == ["55.6 %", "3", "3", "2", "1"]
    painted = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(Boolean)"
    assert page.eval_on_selector(".rx-map", painted)
    assert page.eval_on_selector(".rx-lanes", painted)


def test_says_why_and_where(page: Any) -> None:
    why = page.locator(".rx-why")
    playwright.expect(why).to_contain_text(
        "evicted node 3 (2 blocks): leaf, unlocked, least recent"
    )
    press(page, "Home", *["ArrowRight"] * 7)
    playwright.expect(why).to_contain_text("node 1 was split after 10 blocks")
    playwright.expect(why).to_contain_text("cache/tree.py:1 in f")
    press(page, "ArrowRight")
    playwright.expect(why).not_to_contain_text("cache/tree.py")


def test_steps_back_and_forth(page: Any) -> None:
    page.click("[data-action=back]")
    expect_position(page, END - 1)
    assert page.locator('.rx-card[data-node="3"]').count() == 1
    page.click("[data-action=first]")
    expect_position(page, 0)
    assert page.locator(".rx-seq").count() == 0
    page.click("[data-action=step]")
    expect_position(page, 1)
    assert texts(page, ".rx-seq b") == ["sequence 0"]
    page.click("[data-action=last]")
    expect_position(page, END)


def test_scrubs(page: Any) -> None:
    page.locator(".rx-scrub").fill("7")
    expect_position(page, 7)
    assert page.locator(".rx-card:not(.rx-gone)").count() == 2


def test_jumps_from_mark_to_mark(page: Any) -> None:
    press(page, "Home", "Shift+ArrowRight")
    expect_position(page, 2)
    press(page, "Shift+ArrowRight")
    expect_position(page, 7)
    press(page, "Shift+ArrowLeft")
    expect_position(page, 2)


def test_plays_to_the_end(page: Any) -> None:
    press(page, "Home", "+", "+", "+", "+", " ")
    playwright.expect(page.locator(".rx-where")).to_have_text(f"event {END} of {END}")
    playwright.expect(page.locator("[data-action=last]")).to_be_disabled()


def test_keys_stay_inside(page: Any) -> None:
    press(page, "ArrowLeft", "a", "j", " ", " ", "Escape")
    assert page.evaluate("outside") == []
    assert page.locator(".rx-view[data-lm-suppress-shortcuts=true]").count() == 1
    page.keyboard.press("Control+b")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("q")
    assert page.evaluate("outside") == ["q"]


def test_follows_live_events_and_stays_where_the_reader_is(open_page: Any) -> None:
    page = open_page(recording(EVENTS[:3]))
    rows = recording(EVENTS)["events"]
    send = "([from, events]) => model.receive({ from, events })"
    page.evaluate(send, [3, rows[3:6]])
    expect_position(page, 6, 6)
    page.click("[data-action=back]")
    page.evaluate(send, [6, rows[6:]])
    expect_position(page, 5)
    page.click("[data-action=last]")
    expect_position(page, END)


def test_asks_once_for_what_is_missing(open_page: Any) -> None:
    page = open_page(recording(EVENTS[:3]))
    rows = recording(EVENTS)["events"]
    send = "([from, events]) => model.receive({ from, events })"
    page.evaluate(send, [6, rows[6:8]])
    page.evaluate(send, [8, rows[8:9]])
    expect_position(page, 3, 3)
    assert page.evaluate("sent") == [{"type": "need", "from": 3}]
    page.evaluate(send, [3, rows[3:]])
    expect_position(page, END)


def test_the_synced_recording_fills_a_gap(open_page: Any) -> None:
    page = open_page(recording(EVENTS[:3]))
    page.evaluate("(r) => model.set('recording', r)", recording(EVENTS))
    expect_position(page, END)


def test_a_recording_that_forgot_its_start_replaces_the_log(open_page: Any) -> None:
    page = open_page(recording(EVENTS[:3]))
    log = EventLog(fold_all(State(64, 4), EVENTS[:10]), chr)
    log.start, log.events = 10, EVENTS[10:]
    page.evaluate("(r) => model.set('recording', r)", log.to_json())
    expect_position(page, END)
    page.click("[data-action=first]")
    expect_position(page, 10)


def test_a_node_lights_up_its_blocks_and_sequences(page: Any) -> None:
    page.hover('.rx-card[data-node="2"] .rx-label')
    assert lit(page, "node") == {2}
    assert lit(page, "sequence") == {0, 2, 3}
    assert lit(page, "block") == set(range(10))
    assert "node 2: 10 blocks" in page.locator(".rx-note").inner_text()


def test_a_sequence_lights_up_its_nodes_and_blocks(page: Any) -> None:
    page.hover('.rx-seq[data-sequence="2"] b')
    assert lit(page, "sequence") == {2}
    assert lit(page, "node") == {2, 4}
    assert lit(page, "block") == {*range(10), 14, 15}


def test_a_block_of_the_map_lights_up_both(page: Any) -> None:
    page.hover(".rx-map", position={"x": 14 * 27 + 10, "y": 10})
    assert lit(page, "block") == {14}
    assert (lit(page, "node"), lit(page, "sequence")) == ({4}, {2})
    page.mouse.move(0, 0)
    assert lit(page, "block") == set()


def test_click_pins_and_escape_lets_go(page: Any) -> None:
    page.click('.rx-card[data-node="4"] .rx-label')
    page.mouse.move(0, 0)
    assert lit(page, "node") == {4}
    press(page, "ArrowLeft")
    expect_position(page, END - 1)
    assert lit(page, "node") == {4}
    press(page, "Escape")
    assert lit(page, "node") == set()


def test_the_legend_dims_and_undims(page: Any) -> None:
    entry = page.locator(".rx-legend button", has_text="shared")
    entry.click()
    playwright.expect(entry).to_have_attribute("aria-pressed", "false")
    assert page.locator('.rx-card[data-node="2"] .rx-off').count() == 10
    entry.click()
    playwright.expect(entry).to_have_attribute("aria-pressed", "true")
    assert page.locator(".rx-off").count() == 0


def test_reads_as_the_summary(page: Any) -> None:
    state = fold_all(State(64, 4), EVENTS)
    picture = page.locator("[role=img]")
    assert picture.get_attribute("aria-label") == headline(state)
    words = page.locator(f"#{picture.get_attribute('aria-describedby')}")
    playwright.expect(words).to_have_text(summary(state, chr))
    assert page.locator(".rx-view").get_attribute("aria-label") == "a title"
    unnamed = "all => all.filter((el) => !(el.getAttribute('aria-label') || el.innerText)).length"
    assert page.eval_on_selector_all("button, input", unnamed) == 0


def test_light_and_dark(open_page: Any) -> None:
    color = "el => getComputedStyle(el).backgroundColor"
    seen = {
        scheme: open_page(recording(EVENTS), color_scheme=scheme).eval_on_selector(
            ".rx-view", color
        )
        for scheme in ("light", "dark")
    }
    assert seen == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 25, 29)"}


@pytest.mark.parametrize("width", [932, 440])
def test_nothing_is_cut_off(open_page: Any, width: int) -> None:
    page = open_page(recording(EVENTS), width=width)
    expect_position(page, END)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = "all => all.filter((el) => el.scrollWidth > el.clientWidth + 1).map((el) => el.className)"
    parts = ".rx-gauges, .rx-buttons, .rx-timeline, .rx-why, .rx-sequences, .rx-card, .rx-legend"
    assert page.eval_on_selector_all(parts, cut) == []


def test_gone_nodes_fade_unless_calm_is_wanted(open_page: Any) -> None:
    page = open_page(recording(EVENTS), reduced_motion="reduce")
    expect_position(page, END)
    press(page, "ArrowLeft", "ArrowRight")
    expect_position(page, END)
    assert page.locator(".rx-gone").count() == 0


def test_tokens_are_text_never_markup(open_page: Any) -> None:
    evil = "<img src=x onerror='window.hacked = 1'>"
    record = recording(EVENTS, vocab={str(k): evil for k in range(128)}, title=evil)
    page = open_page(record)
    expect_position(page, END)
    assert page.locator(".rx-view img").count() == 0
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ({}, "waiting for the cache's first state"),
        ({"keyframe": {"num_blocks": "x"}}, "cannot be shown: num_blocks must be"),
        ({"keyframe": {"num_blocks": 4, "block_size": 0}}, "block_size must be"),
        (recording(EVENTS, events=[["Nonsense"]]), 'unknown event type "Nonsense"'),
        (recording(EVENTS, events=7), "cannot be shown"),
        (recording([EVENTS[0], EVENTS[6]]), "stops at event 1 (NodeSplit): node 1 does not exist"),
        (recording(EVENTS, events=[["BlocksAllocated", 0, 0, 0, None]]), "stops at event 0"),
    ],
)
def test_a_malformed_recording_gives_one_clear_line(
    open_page: Any, record: dict[str, Any], line: str
) -> None:
    page = open_page(record)
    error = page.locator(".rx-error")
    playwright.expect(error).to_be_visible()
    assert line in error.inner_text() and "\n" not in error.inner_text()


@pytest.mark.parametrize("button", ["first", "last", "step", "back", "previousMark", "nextMark"])
def test_a_button_that_switches_itself_off_leaves_the_keys_alive(page: Any, button: str) -> None:
    forward = button in ("last", "step", "nextMark")
    press(page, "Home" if forward else "End")
    expect_position(page, 0 if forward else END)
    for _ in range(END):
        if page.locator(f"[data-action={button}]").is_disabled():
            break
        page.click(f"[data-action={button}]")
        settle(page)
    assert page.locator(f"[data-action={button}]").is_disabled()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect_position(page, 1)


def test_home_on_a_button_keeps_the_focus_inside(page: Any) -> None:
    page.click("[data-action=back]")
    page.keyboard.press("Home")
    expect_position(page, 0)
    assert page.evaluate("document.activeElement.className") == "rx-view"
    page.keyboard.press("End")
    expect_position(page, END)


def test_a_new_cell_calls_back_who_looks_back(open_page: Any) -> None:
    rows = recording(EVENTS)["events"]
    page = open_page(recording(EVENTS[:3], cell=1))
    page.evaluate(SEND, [3, rows[3:6], 2])
    press(page, "ArrowLeft")
    page.evaluate(SEND, [6, rows[6:8], 2])  # the same cell goes on
    expect_position(page, 5, 8)
    page.evaluate(SEND, [8, rows[8:9], 3])
    expect_position(page, 9, 9)
    press(page, "Home")
    page.evaluate("(r) => model.set('recording', r)", recording(EVENTS, cell=3))
    expect_position(page, 0)
    page.evaluate("(r) => model.set('recording', r)", recording(EVENTS, cell=4))
    expect_position(page, END)


def test_each_sequence_says_where_its_prefix_came_from(page: Any) -> None:
    assert texts(page, ".rx-seq-head span") == [
        "0 of 48 found",
        "40 of 48 found",
        "forked from sequence 0",
    ]


def test_a_fork_before_the_log_is_known_too(open_page: Any) -> None:
    page = open_page(recording(EVENTS, forks=[[2, 7]]))
    assert "forked from sequence 7" in texts(page, ".rx-seq-head span")


def test_one_word_has_one_number(page: Any) -> None:
    words = [text.split("\n")[0].strip() for text in texts(page, ".rx-legend button")]
    assert any(word.startswith("in use by one") for word in words)
    assert texts(page, ".rx-section-title b") == ["Radix tree", "Block map", "Sequences"]


def test_the_stripe_of_a_node_has_the_colour_of_its_blocks(page: Any) -> None:
    locked_yet = next(k for k, e in enumerate(EVENTS) if isinstance(e, ev.NodeLocked))
    page.locator(".rx-scrub").fill(str(locked_yet))  # stored, not locked yet
    expect_position(page, locked_yet)
    stripe = "el => getComputedStyle(el).borderLeftColor"
    assert page.eval_on_selector(".rx-card", stripe) == "rgb(0, 158, 115)"


PIXEL = """(canvas, [x, y]) => {
  const scale = devicePixelRatio;
  return [...canvas.getContext("2d").getImageData(x * scale, y * scale, 1, 1).data].slice(0, 3);
}"""


def test_a_copy_under_way_is_purple_with_an_arrow_until_it_arrives(page: Any) -> None:
    copied = next(k for k, e in enumerate(EVENTS) if isinstance(e, ev.BlockCopied)) + 1

    def at(x: float, y: float = 18) -> list[int]:
        return page.eval_on_selector(".rx-map", PIXEL, [int(x), int(y)])

    page.locator(".rx-scrub").fill(str(copied))
    expect_position(page, copied)
    purple, ink = [204, 121, 167], [31, 35, 40]
    assert at(11 * 27 + 3) == at(20 * 27 + 18) == purple
    assert at(15 * 27, 25) == ink  # the arrow runs in the gap under the blocks
    press(page, "ArrowRight")
    expect_position(page, copied + 1)
    assert purple not in (at(11 * 27 + 3), at(20 * 27 + 18))
    assert at(15 * 27, 25) != ink


@pytest.mark.parametrize("width", [640, 420])
def test_a_tree_wider_than_the_page_shrinks_then_fades(open_page: Any, width: int) -> None:
    page = open_page(recording(EVENTS), width=width)
    expect_position(page, END)
    scale = page.eval_on_selector(".rx-world", "el => new DOMMatrix(el.style.transform).a")
    fade = page.eval_on_selector(".rx-fade", "el => el.style.getPropertyValue('--rx-right')")
    assert (0.75 < scale < 1, fade) == ((True, "0px") if width == 640 else (False, "40px"))
    assert width == 640 or scale == 0.75
    page.eval_on_selector(".rx-tree", "el => el.scrollTo(9999, 0)")
    page.wait_for_function(
        "document.querySelector('.rx-fade').style.getPropertyValue('--rx-right') === '0px'"
    )


def test_the_tree_shrinks_after_a_jump_but_not_while_stepping(page: Any) -> None:
    height = "document.querySelector('.rx-tree').offsetHeight"
    press(page, "Home", *["ArrowRight"] * 15)
    expect_position(page, 15)
    page.wait_for_function(f"{height} > 60")
    tall = page.evaluate(height)
    press(page, *["ArrowLeft"] * 5)
    expect_position(page, 10)
    page.wait_for_timeout(100)  # nothing is to happen, so there is nothing to wait for
    assert page.evaluate(height) == tall
    press(page, "Home")
    expect_position(page, 0)
    page.wait_for_function(f"{height} < 60")


def test_three_requests_fit_a_laptop_screen(open_page: Any) -> None:
    page = open_page(recording(EVENTS[:16]), width=932)
    expect_position(page, 16, 16)
    assert page.locator(".rx-seq").count() == 3
    assert page.eval_on_selector(".rx-view", "el => el.offsetHeight") <= 800


def test_lane_names_do_not_touch(page: Any) -> None:
    size, line = page.eval_on_selector(
        ".rx-lane-names", "el => [getComputedStyle(el).fontSize, getComputedStyle(el).lineHeight]"
    )
    assert (float(size[:-2]) >= 10, float(line[:-2]) >= 1.2 * float(size[:-2])) == (True, True)
    assert texts(page, ".rx-lane-names span")[-1] == "out of blocks"


def test_nothing_to_play_is_said(open_page: Any) -> None:
    page = open_page(recording([]))
    playwright.expect(page.locator(".rx-why")).to_have_text("Nothing has happened yet.")
    assert page.locator(".rx-buttons button:enabled:visible").count() == 0
    press(page, " ")
    playwright.expect(page.locator(".rx-where")).to_have_text("event 0 of 0")


def test_a_watched_tree_has_no_requests_to_speak_of(open_page: Any) -> None:
    page = open_page(recording([], requests=False))
    assert page.locator(".rx-numbers span").all_inner_texts() == ["nodes", "evicted"]
    assert page.get_by_text("no request is running").is_hidden()
    assert open_page(recording([])).get_by_text("no request is running").is_visible()


def test_a_closed_view_lets_go_of_the_model(page: Any) -> None:
    page.evaluate("cleanup()")
    page.evaluate("model.set('recording', {})")
    assert page.locator(".rx-error").is_hidden()


def test_a_large_pool_is_drawn_by_aggregation(open_page: Any) -> None:
    record = recording([])
    record["keyframe"] = record["keyframe"] | {"num_blocks": 100_000}
    page = open_page(record)
    page.hover(".rx-map", position={"x": 3, "y": 3})
    assert page.locator(".rx-note").inner_text() == "blocks 0 to 24: 25 free"


def test_what_the_host_has_is_dotted_and_has_a_map_of_its_own(open_page: Any) -> None:
    start = State(num_blocks=8, block_size=4, num_host_blocks=6)
    log = EventLog(start, chr)
    log.events += [
        ev.BlockStored(0, 0, 1, None, None, None, 0, ((0, 2),), 1, PROMPT[:8]),
        ev.WrittenBack(1, 0, 1, 1, ((0, 2),), ((4, 2),), "least recent", 1),
        ev.TransfersCompleted(2, 0, ((0, 4, "write_back"), (1, 5, "write_back"))),
    ]
    page = open_page(log.to_json())
    playwright.expect(page.locator(".rx-card.rx-on-host")).to_contain_text("on host")
    assert "Host" in texts(page, ".rx-section-title b")
    page.locator(".rx-cell[data-host-block='4']").hover()
    assert page.locator(".rx-card.rx-lit").count() == 1
    playwright.expect(page.locator(".rx-note")).to_contain_text("host block 4: on host, held by")
    page.keyboard.press("Escape")
    playwright.expect(page.locator(".rx-legend")).to_contain_text("on host2")
