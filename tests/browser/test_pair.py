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
from tests.browser.blank_page import MOUNT, NEEDS_CHROMIUM, playwright, settle, tab_to

pytestmark = NEEDS_CHROMIUM
expect = playwright.expect
TEXTS = ("Count the stars.", "You are a cat. Meow?", "Count the stars.", "You are a poet.",
         "Where does the sun go?", "How old is the moon?", "Count the stars.")  # fmt: skip
MOUNT_PAIR = MOUNT.replace("state: { recording }", "state: { pair: recording }")


def taped(
    policy: str, name: str = "", blocks: int = 12, size: int = 4, hosts: int = 0, texts: Any = TEXTS
) -> Tape:
    config = CacheConfig(num_blocks=blocks, block_size=size, num_host_blocks=hosts)
    cache = KVCacheManager(config, policy=POLICIES[policy]())
    tape = Tape(cache, name or policy)
    for text in texts:
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


CORNER = """(side) => {
  const canvas = document.querySelectorAll(".rx-pair-side")[side].querySelector(".rx-map");
  const [x, y] = [5, 5].map((px) => px * devicePixelRatio);
  return [...canvas.getContext("2d").getImageData(x, y, 1, 1).data].slice(0, 3);
}"""
CACHED = [0x56, 0xB4, 0xE9]


def test_the_map_has_the_other_run_as_a_ghost_and_a_focus_is_marked_in_both_runs(open_pair):
    page = open_pair(taped("lru"), taped("lfu"))
    lru, lfu = page.locator(".rx-pair-side").all()
    line, note = ".rx-pair-ghost-line", ".rx-pair-note"
    expect(lru.locator(line)).to_have_text(
        "lfu differs in 4 of 12 blocks: 1 free, 3 cached; "
        "lfu has 3 blocks in its tree that lru does not have"
    )
    expect(page.locator(".rx-legend button", has_text="cached there")).to_have_text(
        "cached there3 · 1"
    )
    assert page.evaluate(CORNER, 0) == CACHED  # lfu still has block 0, which lru evicted
    page.locator(".rx-legend button", has_text="cached there").press("Enter")
    settle(page)
    assert page.evaluate(CORNER, 0) != CACHED
    page.locator(".rx-legend button", has_text="cached there").press("Enter")

    lfu.locator(".rx-card", has_text="Count the st").hover()
    expect(lfu.locator(note)).to_contain_text("node 3: 3 blocks")
    expect(lru.locator(note)).to_have_text("node 3 of lfu: lru does not have it")
    expect(lru.locator(".rx-ghost.rx-lit")).to_contain_text("only in lfu")  # it stands for that
    lru.locator(".rx-ghost").hover()
    expect(lfu.locator(note)).to_have_text(
        "this node: lru does not have it; here: node 3, blocks 0–2"
    )
    page.mouse.move(1, 1)

    tab_to(page, ".rx-tree")  # by keyboard: the first run's tree, its node and the other run's
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    expect(lru.locator(".rx-card.rx-cursor")).to_contain_text("node 6")
    expect(lfu.locator(note)).to_have_text(
        "node 6 of lru: the same tokens: node 6, blocks 6–8, 10–11"
    )
    page.keyboard.press("Enter")
    page.locator(".rx-view").focus()
    page.keyboard.press("End")  # both runs have evicted it since
    expect(lru.locator(note)).to_contain_text("pinned, Esc lets go")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(page.locator(".rx-pair-ghosts input")).not_to_be_checked()
    expect(lru.locator(line)).to_have_text("")
    page.keyboard.press("[")  # a key of one run's view
    page.keyboard.press("Home")
    expect(page.locator(".rx-where")).to_contain_text("before the first request")


ODD = {
    "one block": (
        {"blocks": 1, "texts": "a"},
        {"blocks": 1, "texts": ()},
        "has the same in 1 block",
    ),
    "nothing": ({"texts": ()}, {"texts": ()}, "has the same in 12 blocks"),
    "an empty run": ({}, {"texts": ()}, "differs in 12 of 12 blocks: 12 free"),
    "a block size": ({}, {"size": 6}, "their maps cannot be compared block by block"),
    "a larger pool": ({}, {"blocks": 40}, "it has 28 more blocks"),
    "another host": ({"hosts": 8}, {"hosts": 3}, "10 with other tokens"),
}


def often_or_in_the_soak(name: str) -> Any:
    marks = [] if name in ("nothing", "a block size") else [pytest.mark.soak]
    return pytest.param(*ODD[name], id=name, marks=marks)


@pytest.mark.parametrize(("a", "b", "said"), [*map(often_or_in_the_soak, ODD)])
def test_odd_pairs_are_drawn_and_what_differs_is_said(open_pair, a, b, said):
    page = open_pair(taped("lru", **a), taped("lfu", **b))
    page.locator(".rx-view").focus()
    for key in ("Home", "ArrowRight", "End"):
        page.keyboard.press(key)
    expect(page.locator(".rx-pair-ghost-line").first).to_contain_text(said)
    page.locator(".rx-pair-side .rx-map").first.hover(position={"x": 5, "y": 5})
    expect(page.locator(".rx-pair-note").first).to_contain_text("block 0: ")
    expect(page.locator(".rx-pair-note").nth(1)).to_contain_text("block 0 of lru: ")
    assert page.evaluate("document.body.scrollWidth <= innerWidth")


def test_a_saved_file_plays_both_runs_without_a_network(browser, tmp_path, capsys):
    path = tmp_path / "pair.html"
    compare(taped("lru", "</script><img src=x>"), taped("lfu"), decode, "<two>").save(path)
    assert capsys.readouterr().out.startswith(f"{path}: 63 events and 62 events, 0.")
    page = browser.new_context(offline=True).new_page()
    page.goto(path.as_uri())
    expect(page).to_have_title("<two>")
    expect(page.locator(".rx-where")).to_have_text("request 6, they have parted")
    page.locator(".rx-view").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".rx-where")).to_have_text("request 6, the same so far")
    assert page.locator("img").count() == 0
    page.context.close()


def test_a_search_answers_for_both_runs_one_after_the_other(open_pair):
    page = open_pair(taped("lru"), taped("lfu"))
    lru, lfu = page.locator(".rx-pair-side").all()
    said, pinned, note = page.locator(".rx-found"), ".rx-card.rx-lit", ".rx-pair-note"
    page.locator(".rx-view").focus()
    page.keyboard.press("End")
    page.keyboard.press("/")
    page.keyboard.type("count the st")
    for said_there, side, other, found in (
        ("1 of 2 in lru", lru, lfu, "node 8: "),
        ("2 of 2 in lfu", lfu, lru, "node 3: "),
        ("1 of 2 in lru", lru, lfu, "node 8: "),
    ):
        expect(said).to_have_text(said_there)
        expect(side.locator(pinned)).to_contain_text("Count the st")
        expect(side.locator(note)).to_contain_text(found)
        expect(side.locator(note)).to_contain_text("pinned, Esc lets go")
        expect(other.locator(note)).to_contain_text("the same tokens")  # the twin is marked too
        page.keyboard.press("Enter")
    page.locator(".rx-search").fill("nowhere to be found")
    expect(said).to_have_text("not found")
    expect(page.locator(pinned)).to_have_count(0)
    page.locator(".rx-search").fill("block 0")
    expect(said).to_have_text("1 of 2 in lru")
    page.keyboard.press("Enter")
    expect(said).to_have_text("2 of 2 in lfu")
    page.keyboard.press("Escape")
    expect(page.locator(".rx-view")).to_be_focused()
    expect(lfu.locator(note)).to_contain_text("pinned, Esc lets go")
    page.keyboard.press("Escape")
    expect(page.locator(".rx-lit")).to_have_count(0)


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
