"""Looks at a built site as its readers do: every link, every page at a phone's width, every player.

`faults(folder, browser)` is what the tests demand to be empty. The whole site takes minutes.
"""

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

LONG_MS = 120_000
PHONE, DESK = 375, 1280

WIDER = """(width) => [...document.querySelectorAll("body *")]
  .filter((el) => el.getBoundingClientRect().right > width + 1 && el.checkVisibility())
  .filter((el) => !el.closest("pre, .table, .box, .formula, .skip, .rx-view"))
  .map((el) => el.outerHTML.slice(0, 120))"""
AXE = """async () => {
  const { violations } = await axe.run(document, { preload: false });
  const told = (id, node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`;
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => told(id, node).slice(0, 500)));
}"""


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if name in ("href", "src", "data-file") and value is not None:
                self.targets.append(value)


def dead_links(folder: Path) -> list[str]:
    """Links of all pages whose file or anchor is missing, or that leave the site."""
    pages = {path: _Page(path.read_text("utf-8")) for path in sorted(folder.rglob("*.html"))}
    return [
        f"{path.relative_to(folder)}: {target}"
        for path, page in pages.items()
        for target in page.targets
        if not _leads_somewhere(path, target, folder, pages)
    ]


def _leads_somewhere(path: Path, target: str, folder: Path, pages: dict[Path, _Page]) -> bool:
    parts = urlsplit(target)
    if parts.scheme in ("http", "https", "mailto"):
        return bool(parts.netloc or parts.path)
    if parts.scheme == "data":
        return True
    file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if parts.scheme or not file.is_relative_to(folder.resolve()) or not file.is_file():
        return False
    return not parts.fragment or file not in pages or unquote(parts.fragment) in pages[file].anchors


class Visitor:
    """Opens pages from the disk with the network off, and notes what goes wrong."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self.folder = folder.resolve()
        self.faults: list[str] = []
        self.num_players = 0
        self.name = ""
        context = browser.new_context(offline=True, reduced_motion="reduce")
        context.set_default_timeout(LONG_MS)
        self.page = context.new_page()
        self._listen(self.page)

    def visit(self, path: Path, axe: str | None = None) -> None:
        """Look at one page at a phone's width, step its players, and look again on a desk."""
        self.name = path.relative_to(self.folder).as_posix()
        self._look(PHONE, "light")
        self.page.goto(path.as_uri())
        self._play()
        self._measure(PHONE, axe)
        self._look(DESK, "dark")
        self._measure(DESK, axe)

    def _look(self, width: int, scheme: str) -> None:
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.emulate_media(color_scheme=scheme)

    def _note(self, what: object) -> None:
        self.faults.append(f"{self.name}: {what}")

    def _listen(self, page: Any) -> None:
        local = ("file:", "data:", "blob:")
        loud = ("error", "warning")
        page.on("pageerror", self._note)
        page.on("console", lambda said: said.type in loud and self._note(said.text))
        page.on("requestfailed", lambda asked: self._note(f"{asked.url} cannot be loaded"))
        page.on("request", lambda asked: asked.url.startswith(local) or self._note(asked.url))

    def _measure(self, width: int, axe: str | None) -> None:
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            self._note(f"{wide} pixels wide at {width}: {self.page.evaluate(WIDER, width)[:3]}")
        if axe is not None:
            self.page.evaluate(axe)
            self.faults += [f"{self.name} at {width}: {line}" for line in self.page.evaluate(AXE)]

    def _play(self) -> None:
        """Wait for each player, and step it back, to its start, and to its end."""
        for player in self.page.locator("figure.player").all():
            player.scroll_into_view_if_needed()
            player.locator(".rx-view").wait_for()
            self.num_players += 1
            self._step(player)

    def _step(self, player: Any) -> None:
        where = player.locator(".rx-where").first
        filled = "(el) => el.textContent.trim()"
        self.page.wait_for_function(filled, arg=where.element_handle(), timeout=LONG_MS)
        name, opened = player.get_attribute("data-name"), where.inner_text()
        if player.get_attribute("data-kind") == "view":
            at, end = re.findall(r"[\d,]+", opened)[:2]
            if at != end:
                self._note(f"the player {name} opens at {opened}")
        for action in ("back", "first", "step", "last"):
            button = player.locator(f"[data-action={action}]").first
            if not button.is_enabled():
                continue
            before = player.inner_text()
            button.click()
            if not self._changes(player, before):
                self._note(f"the player {name}: {action} changes nothing")

    def _changes(self, player: Any, before: str) -> bool:
        for _ in range(500):
            if player.inner_text() != before:
                return True
            self.page.evaluate("new Promise((next) => requestAnimationFrame(next))")
        return False


def faults(folder: Path, browser: Any, axe: str | None = None) -> tuple[list[str], int]:
    """Everything wrong with a site, one line each, and the number of players that were stepped."""
    visitor = Visitor(browser, folder)
    for path in pages_of(folder):
        visitor.visit(path, axe)
    dead = [f"dead link {link}" for link in dead_links(folder)]
    return [*dead, *visitor.faults], visitor.num_players


def pages_of(folder: Path) -> Iterable[Path]:
    return sorted(folder.resolve().rglob("*.html"))


def recordings(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each recording of a site."""
    for path in sorted((folder / "players").glob("*.js")):
        yield path.stem, path.read_text("utf-8").partition("=")[2].rstrip(";\n")
