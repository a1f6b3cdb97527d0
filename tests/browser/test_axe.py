"""What shuts a reader out, looked for by axe-core: each tool of the view, in each theme."""

from pathlib import Path
from typing import Any

import pytest

from radixlab.lesson import decode
from radixlab.viz import compare
from radixlab.viz.bundle import css, pair_esm
from tests.browser import test_predict as predict
from tests.browser.blank_page import (
    EVENTS,
    NEEDS_CHROMIUM,
    expect_position,
    playwright,
    press,
    recording,
)
from tests.browser.test_pair import MOUNT_PAIR, taped

pytestmark = NEEDS_CHROMIUM

AXE_RUN = """async () => {
  const { violations } = await axe.run(document.querySelector(".rx-view"));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) =>
    `${id}: ${node.html.slice(0, 300)} ${node.any.map((check) => check.message).join("; ")}`));
}"""
THEMES = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "high contrast": {"forced_colors": "active"},
}
"""The default run looks at the brightest and at the barest; `make soak` at all."""


@pytest.fixture(scope="module")
def source() -> str:
    module = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    return (Path(module.__file__).parent / "axe.min.js").read_text("utf-8")


@pytest.fixture(
    params=[
        pytest.param(theme, id=name, marks=[pytest.mark.soak] if name == "dark" else [])
        for name, theme in THEMES.items()
    ]
)
def theme(request: Any) -> dict[str, str]:
    return {"reduced_motion": "reduce"} | request.param  # what fades would be pale for a moment


def axe(page: Any, source: str) -> list[str]:
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(source)
    return [str(line) for line in page.evaluate(AXE_RUN)]


def test_the_view(open_page: Any, theme: dict[str, str], source: str) -> None:
    """With a pin, with everything dimmed, in a drawer, and without events."""
    page = open_page(recording(EVENTS), **theme)
    expect_position(page)
    page.click('.rx-card[data-node="4"] .rx-label')
    found = axe(page, source)
    for entry in page.locator(".rx-legend button:visible").all():
        entry.click()
    found += axe(page, source)
    press(page, "Escape", "Home", *["ArrowRight"] * 7)
    page.click(".rx-drawer summary")
    page.select_option("select.rx-tool", "age")
    found += axe(page, source)
    found += axe(open_page(recording([]), **theme), source)
    assert found == []


def test_predict_mode(open_page: Any, theme: dict[str, str], source: str) -> None:
    """An open question, a hint, and the verdict with the ticks on the nodes, one of them pinned."""
    page = open_page(predict.recording(predict.EVENTS), **theme)
    page.evaluate(predict.SKIP_TO, predict.EVICTION - 1)
    page.locator(".rx-predict-on").click()
    page.locator(".rx-predict input").fill("99")
    page.keyboard.press("Enter")
    playwright.expect(page.locator(".rx-predict-hint")).to_be_visible()
    found = axe(page, source)
    page.locator(".rx-card[data-node='2'] .rx-label").click()
    playwright.expect(page.locator(".rx-predict-wrong")).to_be_visible()
    found += axe(page, source)
    page.locator(".rx-card[data-node='2'] .rx-label").click()  # now it pins
    found += axe(page, source)
    assert found == []


def test_two_runs(open_blank: Any, theme: dict[str, str], source: str) -> None:
    """Where they part, with ghosts, with a node pinned in both, and at the end, as one column."""
    pair = compare(taped("lru"), taped("lfu"), decode, "two").pair
    page = open_blank(MOUNT_PAIR, [pair_esm(), css(), pair], 1100, **theme)
    playwright.expect(page.locator(".rx-ghost").first).to_be_visible()
    found = axe(page, source)
    page.locator(".rx-pair-side .rx-card .rx-label").first.click()
    playwright.expect(page.locator(".rx-lit.rx-card")).to_have_count(2)
    found += axe(page, source)
    page.locator(".rx-legend button", has_text="free there").click()
    page.set_viewport_size({"width": 600, "height": 900})
    press(page, "End")
    found += axe(page, source)
    assert found == []
