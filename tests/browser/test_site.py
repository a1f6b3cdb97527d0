"""A built site as its readers find it: every player steps, no link is dead, no error, no network.

The small site is built from a repository of a few lines; the whole one takes minutes (`make soak`).
"""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("mistune", reason="mistune is not installed: the extra `dev` brings it")
pytest.importorskip("latex2mathml", reason="latex2mathml is not installed: `dev` brings it")

from radixlab import observe
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.lesson import decode, encode
from radixlab.site.build import SiteError, Sources, draw, write
from radixlab.site.links import DeadLinkError, Links
from radixlab.site.record import committed, record
from radixlab.viz.event_log import EventLog
from tests.browser.blank_page import NEEDS_CHROMIUM, playwright
from tests.site import small, visit

ROOT = Path(__file__).parents[2]


def build(root, folder, run=record):
    pages, links = draw(Sources.of(root), run)
    write(folder, pages, links)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    home = tmp_path_factory.mktemp("site")
    return build(small.write(home / "repository"), home / "site")


def axe_source():
    module = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    return (Path(module.__file__).parent / "axe.min.js").read_text("utf-8")


@pytest.fixture
def lesson(browser, site):
    """The page of the small lesson, opened from the disk."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((site / "lessons" / "00_small.html").as_uri())
    yield page
    context.close()


@pytest.mark.browser
@NEEDS_CHROMIUM[1]
def test_the_small_site_has_no_fault(site, browser):
    visitor = visit.Visitor(browser, site)
    visitor.visit(site.resolve() / "lessons" / "00_small.html", axe_source())
    visitor.visit(site.resolve() / "guides" / "guide.html")
    assert (visit.dead_links(site), visitor.faults, visitor.num_players) == ([], [], 3)


@pytest.mark.soak
@pytest.mark.browser
@NEEDS_CHROMIUM[1]
def test_the_whole_site_has_no_fault(browser, tmp_path):
    site = build(ROOT, tmp_path / "site")
    faults, num_players = visit.faults(site, browser, axe_source())
    assert "\n".join(faults) == ""
    assert num_players > len(list(visit.recordings(site)))  # the first page has one of them again


def logged():
    """The events of the small lesson at the ends of its two cells, from a run of our own."""
    cache = KVCacheManager(CacheConfig(num_blocks=12, block_size=4))
    log = EventLog(observe.snapshot(cache), decode)
    observe.attach(cache, log.events.append)
    first = cache.allocate(encode("The sky is blue."))
    cache.commit(first, first.num_tokens)
    yield json.loads(json.dumps(log.rows(0)[0]))
    cache.allocate(encode("The sky is red. Why?"))
    cache.release(first)
    yield json.loads(json.dumps(log.rows(0)[0]))


def test_a_player_has_the_events_up_to_the_end_of_its_cell(site):
    found = {name: json.loads(text) for name, text in visit.recordings(site)}
    assert list(found) == ["00_small-01", "00_small-02", "00_small-03"]
    for name, events in zip(found, logged(), strict=False):
        assert (found[name]["from"], found[name]["events"]) == (0, events), name


def test_recorded_text_cannot_leave_its_script(site):
    for _, text in visit.recordings(site):
        assert text.isascii()
    page = (site / "lessons" / "00_small.html").read_text("utf-8")
    assert "<b>Two prompts</b>" not in page


def test_solutions_are_not_on_the_site(site):
    texts = [path.read_text("utf-8") for path in site.rglob("*") if path.suffix in (".html", ".js")]
    assert not any("SECRET" in text or "solutions/" in text for text in texts)
    assert any("Exercise 8.5.1" in text for text in texts)


@pytest.mark.browser
@NEEDS_CHROMIUM[1]
def test_a_guess_is_compared_with_the_answer(lesson):
    form = lesson.locator("form.guess").nth(0)
    answer = lesson.locator(".answer").nth(0)
    playwright.expect(answer).to_have_text("The engine says 16 blocks.")
    form.locator("input").fill("about")
    form.locator("button").click()
    playwright.expect(form.locator(".said")).to_have_text("Please type a number.")
    form.locator("input").fill("36")
    form.locator("input").press("Enter")
    playwright.expect(answer).to_have_text("You said 36 blocks; the engine says 16 blocks.")
    form.locator("input").fill("16")
    form.locator("input").press("Enter")
    playwright.expect(answer).to_have_text("You said 16 blocks; the engine says 16 blocks: right.")
    choices = lesson.locator("form.guess").nth(1).locator("button")
    assert choices.all_inner_texts() == ["this <one>", "that one"]
    choices.nth(0).click()
    playwright.expect(lesson.locator(".answer").nth(1)).to_contain_text("You said this <one>;")


@pytest.mark.browser
@NEEDS_CHROMIUM[1]
def test_search_leads_to_a_section_and_the_theme_is_kept(lesson):
    lesson.keyboard.press("/")
    lesson.keyboard.type("wide tab")
    lesson.locator(".hits a").first.click()
    lesson.wait_for_url("**/guides/guide.html#a-wide-table")
    background = "getComputedStyle(document.body).backgroundColor"
    light = lesson.evaluate(background)
    lesson.locator("button.theme").click()
    dark = lesson.evaluate(background)
    lesson.locator("a.home").click()
    lesson.wait_for_url("**/index.html")
    assert light != dark == lesson.evaluate(background)


def test_rules_and_anchors_of_notebooks_are_linked(site):
    page = (site / "lessons" / "00_small.html").read_text("utf-8")
    assert '<a href="../rulebook.html#M8">M8</a> and <a href="../rulebook.html#E6">E6</a>' in page
    assert "<math" in page and "mfrac" in page
    guide = (site / "guides" / "guide.html").read_text("utf-8")
    assert 'href="../lessons/00_small.html#A-section"' in guide


def test_a_dead_link_stops_the_build_and_keeps_the_old_site(site, tmp_path):
    root = small.write(tmp_path / "repository")
    folder = build(root, tmp_path / "site", committed)
    before = (folder / "index.html").read_bytes()
    (root / "docs" / "guide.md").write_text("# Guide\n\n[gone](gone.md)\n")
    with pytest.raises(DeadLinkError, match=r"docs/guide\.md: the link to gone\.md leads nowhere"):
        build(root, folder, committed)
    assert (folder / "index.html").read_bytes() == before


def test_a_folder_that_is_not_a_site_is_not_replaced(tmp_path):
    root = small.write(tmp_path / "repository")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.txt").write_text("mine")
    with pytest.raises(SiteError, match="is not a built site"):
        build(root, tmp_path / "site", committed)
    assert (tmp_path / "site" / "thesis.txt").read_text() == "mine"


def test_two_builds_are_the_same_without_a_run(tmp_path):
    root = small.write(tmp_path / "repository")
    one, two = (build(root, tmp_path / name, committed) for name in ("one", "two"))
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert len(files) > 10
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in files)


LINKS = {
    "https://example.org/a": "https://example.org/a",
    "#here": "#here",
    "other.md": "other.html",
    "other.md#part": "other.html#part",
    "../README.md": "../set-up.html",
    "../notebooks/00_x.ipynb#A%20part": "../lessons/00_x.html#A%20part",
    "../deploy/": "deploy.html",
    "../deploy": "deploy.html",
    "../deploy/a%20b.yaml": "../files/deploy/a%20b.yaml.txt",
    "../pictures/x.png": "../files/pictures/x.png",
    "../solutions/ex1.ipynb": None,
    "../solutions": None,
}


@pytest.mark.parametrize("target, wanted", LINKS.items(), ids=LINKS)
def test_where_a_link_leads(tmp_path, target, wanted):
    pages = {
        "docs/guide.md": "guides/guide.html",
        "docs/other.md": "guides/other.html",
        "README.md": "set-up.html",
        "deploy/README.md": "guides/deploy.html",
        "notebooks/00_x.ipynb": "lessons/00_x.html",
    }
    for name in ("deploy/a b.yaml", "pictures/x.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    resolve = Links(tmp_path, pages).of("docs/guide.md", "guides/guide.html")
    assert resolve(target) == wanted


@pytest.mark.parametrize("target", ["gone.md", "../../outside.md", "/etc/passwd", "../deploy/gone"])
def test_a_link_that_leads_nowhere_is_named(tmp_path, target):
    resolve = Links(tmp_path, {}).of("docs/guide.md", "guides/guide.html")
    with pytest.raises(DeadLinkError, match="leads nowhere"):
        resolve(target)


@pytest.mark.browser
@NEEDS_CHROMIUM[1]
def test_the_cheat_sheet_prints_on_one_page(site, browser):
    """A4, landscape, inside its margins, in CSS pixels; what does not fit would be cut off."""
    page = browser.new_page(viewport={"width": 1070, "height": 741})
    page.goto((site / "cheatsheet.html").resolve().as_uri())
    page.emulate_media(media="print")
    widths = "(el) => [el.scrollWidth, el.clientWidth]"
    wide, most = page.eval_on_selector(".sheet", widths)
    assert wide <= most
    printed = page.pdf(prefer_css_page_size=True)
    page.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
