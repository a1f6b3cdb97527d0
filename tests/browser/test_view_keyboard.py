"""The picture by keyboard alone."""

from typing import Any

import pytest

from radixlab import events as ev
from tests.browser.blank_page import (
    END,
    EVENTS,
    NEEDS_CHROMIUM,
    expect_position,
    lit,
    playwright,
    press,
    recording,
    settle,
    tab_to,
)

pytestmark = NEEDS_CHROMIUM


def cursor(page: Any) -> str:
    """The name of what the keyboard is on, as a screen reader is told."""
    return str(
        page.evaluate("""() => {
          const el = document.activeElement;
          const item = document.getElementById(el.getAttribute("aria-activedescendant"));
          return item ? item.getAttribute("aria-label") : el.getAttribute("aria-valuetext");
        }""")
    )


def test_arrows_walk_the_tree_and_light_up_what_belongs_together(page: Any) -> None:
    tab_to(page, ".rx-tree")
    assert cursor(page).startswith("node 2 · 10 blocks, 2 locks: The capital of France")
    assert lit(page, "sequence") == {0, 2, 3}
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert cursor(page).startswith("node 4 · 2 blocks")
    assert (lit(page, "node"), lit(page, "sequence")) == ({4}, {2})
    page.keyboard.press("ArrowLeft")
    assert lit(page, "node") == {2}
    expect_position(page, END)  # the log has not moved
    page.keyboard.press("Tab")
    assert lit(page, "node") == set()


@pytest.mark.parametrize(
    ("stop", "keys", "name", "nodes"),
    [
        (".rx-map-box", ["ArrowRight"] * 14, "block 14: in use by one, held by node 4", {4}),
        (".rx-map-box", ["End"], "block 63: free", set()),
        (".rx-map-box", ["ArrowDown", "ArrowUp"], "block 0: shared, held by node 2", {2}),
        (".rx-sequences", ["ArrowDown"], "sequence 2: 40 of 48 found, 12 blocks", {2, 4}),
        (".rx-sequences", ["End"], "sequence 3: forked from sequence 0, 12 blocks", {1, 2}),
    ],
)
def test_blocks_and_sequences_by_keyboard(
    page: Any, stop: str, keys: list[str], name: str, nodes: set[int]
) -> None:
    tab_to(page, stop)
    for key in keys:
        page.keyboard.press(key)
    assert cursor(page).startswith(name)
    assert lit(page, "node") == nodes


def test_the_first_copy_by_keyboard_alone(page: Any) -> None:
    """Step to it, read why, find the block, pin it, go elsewhere, let go."""
    copied = next(k for k, e in enumerate(EVENTS) if isinstance(e, ev.BlockCopied)) + 1
    press(page, "Home")
    while "copied block" not in page.locator(".rx-why").inner_text():
        page.keyboard.press("Shift+ArrowRight")
        settle(page)
    expect_position(page, copied)
    playwright.expect(page.locator(".rx-why")).to_contain_text("copied block 11 → 20")
    page.keyboard.press("/")
    page.keyboard.type("block 20")
    playwright.expect(page.locator(".rx-found")).to_have_text("1 of 1")
    playwright.expect(page.locator(".rx-note")).to_contain_text("block 20: copying")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    expect_position(page, copied + 1)
    assert lit(page, "sequence") == {3}
    page.keyboard.press("Escape")
    assert lit(page, "sequence") == set()


def test_enter_pins_and_escape_lets_go(page: Any) -> None:
    tab_to(page, ".rx-sequences")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert lit(page, "sequence") == {0}
    page.keyboard.press("Escape")
    assert lit(page, "sequence") == set()


def test_no_stop_is_empty_and_focus_survives_steps(open_page: Any) -> None:
    page = open_page(recording([]))
    for stop in (".rx-tree", ".rx-sequences", ".rx-words"):
        assert page.eval_on_selector(stop, "el => el.tabIndex") == -1
    page = open_page(recording(EVENTS))
    tab_to(page, ".rx-sequences")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowRight")
    settle(page)
    assert page.evaluate("document.activeElement.className") == "rx-sequences"


def test_a_click_leaves_the_arrows_to_the_player(page: Any) -> None:
    page.click('.rx-card[data-node="4"] .rx-label')
    page.keyboard.press("ArrowLeft")
    expect_position(page, END - 1)


def test_the_keys_of_a_field_are_its_own(page: Any) -> None:
    press(page, "/")
    page.keyboard.type(" +-")
    page.keyboard.press("Home")
    assert page.input_value(".rx-search") == " +-"
    expect_position(page, END)
