"""Copies of a view in the cells of a notebook, and what the player says to those who listen."""

from typing import Any

import pytest

from radixlab.observe.state import State, fold_all
from radixlab.viz.event_log import EventLog
from tests.browser.blank_page import (
    END,
    EVENTS,
    NEEDS_CHROMIUM,
    SEND,
    expect_position,
    playwright,
    press,
    recording,
    settle,
    texts,
)

pytestmark = NEEDS_CHROMIUM

CELLS = [[3, 0], [4, 6], [7, 13]]
INTO_A_CELL = """(prompt) => {
  const cell = document.createElement("div");
  cell.className = "jp-Cell";
  cell.style.paddingLeft = "64px"; // the prompt takes room, so the view is drawn again
  cell.innerHTML = `<div class="jp-InputPrompt">${prompt}</div>`;
  cell.append(document.querySelector(".rx-view").parentElement);
  document.body.append(cell);
}"""
PROMPT = "(text) => { document.querySelector('.jp-InputPrompt').textContent = text; }"


def ends(page: Any) -> dict[str, str]:
    """Which of the two ends are offered, and which of them is shown."""
    buttons = page.locator(".rx-ends button:visible").all()
    return {b.inner_text(): b.get_attribute("aria-pressed") for b in buttons}


def test_a_copy_opens_as_of_its_cell_and_goes_live(open_page: Any) -> None:
    page = open_page(recording(EVENTS, cells=CELLS))
    expect_position(page, END)
    assert ends(page) == {}
    page.evaluate(INTO_A_CELL, "[4]:")
    expect_position(page, 13)
    assert ends(page) == {"as of this cell": "true", "live": "false"}
    page.click("[data-action=live]")
    expect_position(page, END)
    assert ends(page) == {"as of this cell": "false", "live": "true"}
    page.click("[data-action=thisCell]")
    expect_position(page, 13)


def test_a_running_cell_is_followed_and_the_next_one_is_not(open_page: Any) -> None:
    rows = recording(EVENTS)["events"]
    page = open_page(recording(EVENTS[:6], cells=[[3, 0]], cell=3))
    page.evaluate(INTO_A_CELL, "[*]:")
    page.evaluate(SEND, [6, rows[6:13], 4])
    expect_position(page, 13, 13)
    page.evaluate(PROMPT, "[4]:")
    page.evaluate(SEND, [13, rows[13:], 7])
    expect_position(page, 13)
    page.evaluate("(r) => model.set('recording', r)", recording(EVENTS, cells=CELLS, cell=7))
    expect_position(page, 13)


@pytest.mark.parametrize("sent", ["before", "after"])
def test_a_number_that_comes_late_is_seen(open_page: Any, sent: str) -> None:
    """Nothing but the prompt changes; a cell is out of the page meanwhile, or is not."""
    page = open_page(recording(EVENTS, cells=CELLS))
    page.evaluate(INTO_A_CELL, "[*]:")
    expect_position(page, END)
    if sent == "after":  # as a notebook does with cells that are out of sight
        page.evaluate("window.cell = document.querySelector('.jp-Cell'); cell.remove()")
        page.evaluate("(r) => model.set('recording', r)", recording(EVENTS, cells=CELLS, cell=7))
        page.evaluate("document.body.append(cell)")
        expect_position(page, END)
    settle(page)  # whatever was under way is painted
    page.evaluate(PROMPT, "[4]:")
    expect_position(page, 13)
    page.evaluate(PROMPT, "[3]:")
    expect_position(page, 6)


def test_the_timeline_has_bands_of_cells(open_page: Any) -> None:
    page = open_page(recording(EVENTS))
    assert "cell" not in texts(page, ".rx-lane-names span:visible")
    low = page.eval_on_selector(".rx-lanes", "c => c.clientHeight")
    page.evaluate("(r) => model.set('recording', r)", recording(EVENTS, cells=CELLS))
    page.wait_for_function(f"document.querySelector('.rx-lanes').clientHeight > {low}")
    assert texts(page, ".rx-lane-names span:visible")[0] == "cell"


def test_the_scrubber_and_play_say_what_they_do(open_page: Any) -> None:
    page = open_page(recording(EVENTS, cells=CELLS))
    scrub, play = page.locator(".rx-scrub"), page.locator("[data-action=play]")
    playwright.expect(scrub).to_have_attribute("aria-valuetext", f"event {END} of {END}, cell 7")
    scrub.fill("6")
    playwright.expect(scrub).to_have_attribute("aria-valuetext", f"event 6 of {END}, cell 3")
    assert play.get_attribute("aria-label") == "Play (space)"
    press(page, "-", "-", " ")
    playwright.expect(play).to_have_attribute("aria-label", "Pause (space)")
    playwright.expect(play).to_have_attribute("title", "Pause (space)")
    press(page, " ")
    playwright.expect(play).to_have_attribute("aria-label", "Play (space)")


def test_the_why_line_is_read_aloud_while_stepping_not_while_a_run_paints(open_page: Any) -> None:
    rows = recording(EVENTS)["events"]
    page = open_page(recording(EVENTS[:3]))
    why = page.locator(".rx-why")
    playwright.expect(why).to_have_attribute("aria-live", "off")
    press(page, "ArrowLeft")
    playwright.expect(why).to_have_attribute("aria-live", "polite")
    press(page, "End")
    expect_position(page, 3, 3)  # a step and a run in one frame count as a step
    page.evaluate(SEND, [3, rows[3:9], 1])
    expect_position(page, 9, 9)
    playwright.expect(why).to_have_attribute("aria-live", "off")


def test_events_that_are_not_kept_are_counted(open_page: Any) -> None:
    page = open_page(recording(EVENTS))
    assert page.locator(".rx-gone-events").is_hidden()
    log = EventLog(fold_all(State(64, 4), EVENTS[:10]), chr)
    log.start, log.events = 10, EVENTS[10:]
    page = open_page(log.to_json())
    line = page.locator(".rx-gone-events")
    playwright.expect(line).to_contain_text("The first 10 events are not kept")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_are_the_same_live_and_by_steps(open_page: Any, scheme: str) -> None:
    rows = recording(EVENTS)["events"]
    picture = "document.querySelector('.rx-map').toDataURL()"
    page = open_page(recording([]), color_scheme=scheme)
    page.evaluate(SEND, [0, rows, 1])
    expect_position(page, END)
    live = page.evaluate(picture)
    press(page, "ArrowLeft", "ArrowRight")
    expect_position(page, END)
    assert page.evaluate(picture) == live
