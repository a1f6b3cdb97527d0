"""Two runs side by side in Chromium: they open where they part, and step together."""

import json
from typing import Any

import pytest

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.eviction import POLICIES
from radixlab.lesson import decode, encode
from radixlab.lesson.serving import serve
from radixlab.viz import Tape, compare
from radixlab.viz.bundle import css, pair_esm
from tests.browser.blank_page import MOUNT, NEEDS_CHROMIUM, playwright

pytestmark = NEEDS_CHROMIUM
expect = playwright.expect
TEXTS = ("Count the stars.", "You are a cat. Meow?", "Count the stars.", "You are a poet.",
         "Where does the sun go?", "How old is the moon?", "Count the stars.")  # fmt: skip
MOUNT_PAIR = MOUNT.replace("state: { recording }", "state: { pair: recording }")


def taped(policy: str, name: str = "") -> Tape:
    cache = KVCacheManager(CacheConfig(num_blocks=12, block_size=4), policy=POLICIES[policy]())
    tape = Tape(cache, name or policy)
    for text in TEXTS:
        serve(cache, encode(text))
    return tape


@pytest.fixture
def open_pair(open_blank: Any) -> Any:
    def open_pair(a: Tape, b: Tape, **options: Any) -> Any:
        pair = compare(a, b, decode, "two").pair
        return open_blank(MOUNT_PAIR, [pair_esm(), css(), pair], 1100, **options)

    return open_pair


def test_it_opens_where_the_runs_part_with_ghosts_and_jumps_back_there(open_pair):
    page = open_pair(taped("lru"), taped("lfu"))
    sides, where = page.locator(".rx-pair-side"), page.locator(".rx-where")
    expect(page.locator(".rx-pair-verdict")).to_contain_text(
        "The runs part in request 6, at event 47"
    )
    expect(where).to_have_text("request 6, they have parted")
    expect(sides.nth(0)).to_contain_text("evicted node 3 (3 blocks): leaf, unlocked, least recent")
    expect(sides.nth(1)).to_contain_text("evicted node 5 (1 block): leaf, unlocked, fewest hits")
    expect(sides.nth(0).locator(".rx-ghost")).to_contain_text("only in lfu · 3 blocks")
    expect(sides.nth(1).locator(".rx-ghost")).to_contain_text("only in lru · 1 block")
    page.locator(".rx-view").focus()
    page.keyboard.press("ArrowLeft")
    expect(where).to_have_text("request 6, the same so far")
    expect(page.locator(".rx-ghost")).to_have_count(0)
    page.keyboard.press("Shift+ArrowLeft")
    expect(where).to_have_text("request 5, the same so far")
    page.locator(".rx-pair-jump").press("Enter")
    expect(where).to_have_text("request 6, they have parted")
    page.locator(".rx-pair-ghosts input").uncheck()
    expect(page.locator(".rx-ghost")).to_have_count(0)
    page.locator(".rx-view").focus()
    page.keyboard.press("End")
    expect(page.locator(".rx-scrub")).to_have_attribute(
        "aria-valuetext", "request 7, they have parted; lru event 63, lfu event 62"
    )


def test_identical_runs_say_so_and_names_are_text(open_pair):
    name = "<img src=x onerror=alert(1)>\u202e"
    page = open_pair(taped("lru", name), taped("lru", name))
    expect(page.locator(".rx-pair-verdict")).to_have_text(
        "The runs are the same: 7 requests, 63 events."
    )
    expect(page.locator(".rx-pair-jump")).to_be_hidden()
    expect(page.locator(".rx-pair-side b").first).to_contain_text("<img src=x")
    assert page.locator("img").count() == 0
    assert "\u202e" not in page.locator(".rx-view").inner_text()


def test_what_cannot_be_compared_is_refused_by_name(tmp_path, monkeypatch):
    from radixlab.viz import pair

    with pytest.raises(TypeError, match="compare takes tapes and paths of recordings, not int"):
        compare(1, taped("lru"))
    monkeypatch.setattr(pair, "MOST_EVENTS", 10)
    with pytest.raises(ValueError, match="lru has 63 events; at most 10 can be compared"):
        compare(taped("lru"), taped("lru"))


def test_the_still_names_where_the_runs_part():
    view = compare(taped("lru"), taped("lfu"), decode)
    data, about = view._repr_mimebundle_(include={"image/png", "text/plain"})
    assert data["text/plain"].splitlines()[0] == view.verdict == about["image/png"]["alt"]
    assert "lfu: CacheView: 3 nodes" in data["text/plain"]
    assert json.loads(view.pair)["b"]["title"] == "lfu"
