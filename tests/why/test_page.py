"""The report's page: everything on it, nothing executed, no network, readable by everybody."""

import base64
import hashlib
import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from radixlab.escape import plain
from radixlab.why.report import CAUSES, CauseRow, Report
from radixlab.why.show import paint
from radixlab.why.show.as_json import json_text
from radixlab.why.show.diff import common
from radixlab.why.show.page import cell, page, save_page
from radixlab.why.show.table import table
from radixlab.why.show.tree import CARD_H, cards, tree_svg, tree_text, walk
from radixlab.why.show.words import MEANINGS, NAMES, Prices, by_cause, totals, verdict
from tests.why.reports import (
    BIDI,
    HOSTILE,
    clock,
    empty,
    every_cause,
    grown,
    hostile,
    without_text,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "article"),
    *("footer", "h1", "h2", "h3", "p", "div", "span", "dl", "dt", "dd", "ol", "ul", "li", "pre"),
    *("table", "thead", "tbody", "tr", "th", "td", "code", "bdi", "del", "ins", "u", "details"),
    *("summary", "img", "svg", "defs", "pattern", "rect", "path", "circle", "text"),
}
DANGEROUS = ("a script", "a style", "css", "svg", "long", "emoji", "controls", "combining")
REPORTS: dict[str, Callable[[], Report]] = {
    "a clock": clock,
    "every cause": every_cause,
    "without text": lambda: without_text(every_cause()),
    "empty": empty,
    "nothing to fix": lambda: replace(clock(), causes=clock().causes[1:], fixes=(), breaks=()),
}


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.declarations: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        self.declarations.append(data)

    def unknown_decl(self, data: str) -> None:
        self.declarations.append(data)


def inert(text: str) -> Seen:
    """Check that a page can only be read; return what it shows."""
    seen = Seen(text)
    assert seen.open == [] and seen.declarations == []
    assert set(seen.tags) <= TAGS, set(seen.tags) - TAGS
    for tag, name, value in seen.attributes:
        assert not name.startswith("on") and name not in ("href", "style", "action", "srcdoc")
        assert name != "src" or (tag == "img" and value.startswith("data:image/svg+xml;base64,"))
    text.encode()
    assert not any(c in text for c in [*BIDI, "\x00", "\x1b", "\u2028", "\u200b", "\U000e0041"])
    return seen


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_a_page_is_inert_and_says_what_the_report_says(make: Callable[[], Report]) -> None:
    report = make()
    words = " ".join(inert(page(report, "a & b.jsonl", Prices(2.5))).words)
    assert "a & b.jsonl" in words
    for row in report.causes:
        assert NAMES[row.cause] in words and f"{row.tokens_lost:,}" in words
    for fix in report.fixes:
        assert fix.fix[1:] in words
    for each in report.breaks:
        assert each.where in words


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_shown_as_text(text: str) -> None:
    report = hostile(text)
    for made in (page(report, text), cell(report, text)):
        seen = inert(made)
        words = "".join(seen.words)
        assert len(made) < 150_000
        shown = plain(text.replace("\n", "↵").replace("\r", "⏎").replace("\t", "⇥"))
        assert shown[:8].strip() in words or "⏎" in shown
    lines = table(report, text)
    assert not any(c in lines for c in [*BIDI, "\x00", "\x07", "\x1b", "\r", "\u2028", "\ud83d"])
    assert len(lines) < 12_000
    assert json_text(report).isascii()


def test_a_cell_has_no_headings_of_a_notebook() -> None:
    seen = inert(cell(every_cause(), "x"))
    assert not {"h1", "h2", "h3", "main", "html", "body"} & set(seen.tags)
    levels = [value for _, name, value in seen.attributes if name == "aria-level"]
    assert levels[:2] == ["3", "4"] and levels.count("5") == len(CAUSES) - 1
    assert set(inert(page(every_cause(), "x")).tags) >= {"h1", "h2", "h3", "main"}


def test_the_policy_allows_this_style_sheet_and_nothing_else() -> None:
    text = page(clock(), "log.jsonl")
    css = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert css and policy
    digest = base64.b64encode(hashlib.sha256(css[1].encode()).digest()).decode()
    assert policy[1].startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "unsafe" not in policy[1] and "http" not in css[1] and "url(" not in css[1]


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_the_bar_shows_every_token_once(make: Callable[[], Report]) -> None:
    report = make()
    bar = re.search(r'<svg class="rw-bar".*?</svg>', page(report, "x"), re.DOTALL)
    parts = by_cause(report)
    assert (bar is None) == (not report.requests)
    if bar:
        widths = [float(w) for w in re.findall(r'width="([\d.]+)%"', bar[0])]
        assert len(widths) == len(parts)
        whole = report.hit_tokens + sum(row.tokens_lost for row in report.causes)
        assert sum(widths) == pytest.approx(100 * whole / report.prompt_tokens, abs=0.01)


def test_every_cause_has_its_own_name_meaning_and_look() -> None:
    assert set(NAMES) == set(MEANINGS) == set(CAUSES) == set(paint.FILL) - {"found"}
    looks = [(paint.FILL[c], paint.STROKES.get(c)) for c in paint.FILL]
    assert len(set(looks)) == len(looks) == len({fill for fill, _ in looks})
    text = page(every_cause(), "x")
    assert set(re.findall(r"url\(#(rw-\w+)\)", text)) <= set(re.findall(r'id="(rw-\w+)"', text))


def test_a_cause_of_another_version_is_shown_by_its_name() -> None:
    row = CauseRow("<new>", 1, 50, "system", "a", "b")
    report = replace(clock(), causes=(row, *clock().causes))
    assert "&lt;new&gt;" in page(report, "x") and "<new>" in table(report, "x")
    inert(page(report, "x"))


def test_a_page_without_text_has_no_text() -> None:
    report = without_text(every_cause())
    for made in (page(report, "x"), cell(report, "x"), json_text(report), table(report, "x")):
        assert "earlier-" not in made and "later-" not in made
    assert "contains no text of the prompts" in page(report, "x")
    assert "This report contains text of the prompts" in page(every_cause(), "x")


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    said = save_page(tmp_path / "r.html", clock(), "log.jsonl")
    assert said == f"{tmp_path / 'r.html'}: {(tmp_path / 'r.html').stat().st_size / 1e3:,.0f} kB"
    assert (tmp_path / "r.html").read_text("utf-8") == page(clock(), "log.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.parametrize("seed", range(40))
def test_every_branch_is_drawn_or_counted(seed: int) -> None:
    branches = grown(seed, 1 + (seed * 37) % 300)
    roots = cards(branches)
    drawn = [card for root in roots for card in walk(root)]
    ids = [card.branch.id for card in drawn if card.branch and card.branch.id >= 0]
    assert len(roots) == 1 and len(set(ids)) == len(ids)
    below = Counter(each.parent_id for each in branches)
    for card in drawn:
        if card.branch and card.branch.id >= 0:
            assert below[card.branch.id] == sum(c.left_out or 1 for c in card.children)
    assert len(drawn) <= 200


@pytest.mark.parametrize("seed", range(40))
def test_cards_do_not_overlap_and_lie_inside(seed: int) -> None:
    svg = ET.fromstring(tree_svg(grown(seed, 1 + (seed * 53) % 300)))
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    frames = [
        (float(e.attrib["x"]), float(e.attrib["y"]))
        for e in svg.iter("{http://www.w3.org/2000/svg}rect")
        if e.attrib.get("fill") == "none"
    ]
    assert frames and all(0 <= x < width and 0 <= y <= height - CARD_H for x, y in frames)
    columns: dict[float, list[float]] = {}
    for x, y in frames:
        columns.setdefault(x, []).append(y)
    for ys in columns.values():
        assert all(b - a >= CARD_H for a, b in zip(sorted(ys), sorted(ys)[1:], strict=False))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_picture_is_well_formed_with_any_label(text: str) -> None:
    branches = hostile(text).branches
    svg = tree_svg(branches)
    assert len(svg) < 20_000
    assert {e.tag.rpartition("}")[2] for e in ET.fromstring(svg).iter()} <= TAGS
    assert all(plain(line) == line for line in tree_text(branches))


def test_rows_of_one_place_are_added_up_and_the_largest_cause_comes_first() -> None:
    clocks = tuple(
        CauseRow("volatile_value", 2, 100, "system, line 2", f"{k}", "z") for k in range(9)
    )
    others = (CauseRow("history_edited", 1, 300, "messages[2]", "a", "b"), clock().causes[-1])
    elsewhere = CauseRow("volatile_value", 1, 50, "prompt", "p", "q")
    report = replace(clock(), causes=(others[0], *clocks, elsewhere, others[1]), breaks=())
    found = totals(report)
    told = [(t.cause, t.tokens_lost, t.requests, len(t.rows)) for t in found]
    assert told[:2] == [("volatile_value", 950, 19, 2), ("history_edited", 300, 1, 1)]
    assert found[-1].cause == "never_seen" and found[0].rows[0].before == "0"
    lines = table(report, "x").splitlines()
    rows = [line for line in lines if line.startswith(("volatile", "history", "never"))]
    assert [row.split()[:3] for row in rows[:2]] == [
        ["volatile", "value", "950"],
        ["history", "edited", "300"],
    ]
    assert "  system, line 2: 900 tokens" in lines
    assert verdict(report).startswith("Volatile value costs most: 15.6 % of the prompt tokens, at ")
    assert "900 tokens lost" in page(report, "x")


def test_the_text_of_the_tree_is_indented_and_names_the_breaks() -> None:
    first, *others = tree_text(clock().branches)
    assert first == "Time 10:3: 2 tokens · 24 requests"
    assert others[1].startswith("  5 Oskar") and others[1].endswith("1 request, volatile value")
    assert others[-1] == "  … and 20 more branches"


@pytest.mark.parametrize(
    "before, after, says",
    [("", "", (0, 0)), ("a", "a", (1, 0)), ("aa", "aaa", (2, 0)), ("xaay", "xay", (2, 1)),
     ("10:34", "10:35", (4, 0)), ("", "b", (0, 0)), ("abc", "xyz", (0, 0))],
)  # fmt: skip
def test_what_two_values_have_in_common_is_counted_once(
    before: str, after: str, says: tuple[int, int]
) -> None:
    head, foot = common(before, after)
    assert (head, foot) == says and head + foot <= min(len(before), len(after))
    assert before[:head] == after[:head]
    assert not foot or before[-foot:] == after[-foot:]


def test_the_colours_are_those_of_the_view() -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: the extra `lab` does")
    from radixlab.viz import palette
    from radixlab.viz.facts import Standing

    assert (paint.GREEN, paint.BLUE, paint.INK, paint.TEXT) == (
        palette.GREEN, palette.BLUE, palette.INK, palette.TEXT,
    )  # fmt: skip
    assert palette.FILL[Standing.CACHED] == paint.SKY
    assert palette.FILL[Standing.COPYING] == paint.PURPLE


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.browser
def test_a_browser_shows_it_offline_at_every_width(browser: Any, tmp_path: Path) -> None:
    made = {"every cause": page(every_cause(), "x.jsonl", Prices(2.5)), "clock": page(clock(), "x")}
    made |= {name: page(hostile(HOSTILE[name]), name) for name in DANGEROUS}
    told: list[str] = []
    tab = browser.new_context(offline=True).new_page()
    tab.on("pageerror", lambda error: told.append(str(error)))
    tab.on("console", lambda said: told.append(said.text) if said.type == "error" else None)
    tab.on("request", lambda asked: told.append(asked.url) if asked.url[:5] != "file:" else None)
    for number, (name, text) in enumerate(made.items()):
        path = tmp_path / f"{number}.html"
        path.write_text(text, "utf-8")
        tab.goto(path.as_uri())
        for width in (390, 1280):
            tab.set_viewport_size({"width": width, "height": 900})
            wide = tab.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (name, width, wide)
        assert tab.evaluate("[window.pwned, document.scripts.length]") == [None, 0]
    tab.context.close()
    assert told == []


@pytest.mark.browser
@pytest.mark.parametrize("scheme, width", [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing(browser: Any, tmp_path: Path, scheme: str, width: int) -> None:
    module = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    source = (Path(module.__file__).parent / "axe.min.js").read_text("utf-8")
    (tmp_path / "r.html").write_text(page(every_cause(), "log.jsonl", Prices(2.5)), "utf-8")
    tab = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto((tmp_path / "r.html").as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    tab.evaluate(source)
    found = tab.evaluate("axe.run().then(({ violations }) => violations)")
    told = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
    tab.context.close()
    assert told == []
