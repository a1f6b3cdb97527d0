"""Puts the site together: runs the lessons, draws the pages, writes the folder.

The folder is written beside the old one and takes its place at the end, so a build that fails
leaves the old site as it was.
"""

import importlib.util
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from radixlab.cache import rules
from radixlab.site import documents, search
from radixlab.site.links import Links, relative
from radixlab.site.notebook import EXERCISES, LESSONS, notebook_page
from radixlab.site.page import Page
from radixlab.site.paper import print_page
from radixlab.site.record import Recorded, asked
from radixlab.site.sheet import PATH, sheet
from radixlab.viz.bundle import css, player_js

ASSETS = Path(__file__).with_name("assets")
PDF = "cheatsheet.pdf"
MARK = ".radixlab-site"
"""A file that says: this folder is a built site, and may be replaced."""
TAGLINE = (
    "A course in notebooks over a complete, readable KV-cache engine: how a radix tree over paged "
    "blocks lets requests share what they have in common, and how to know that it is right."
)
POLICY = (
    "default-src 'none'; script-src 'self' file:; style-src 'self' file: 'unsafe-inline'; "
    "img-src 'self' file: data: blob:"
)
"""The pages may load what lies beside them, and ask nobody for anything."""
NEEDS = {"06_paged_attention": "torch"}
"""Lessons that cannot run without a package; they show their committed pictures then."""

Run = Callable[[Path], Recorded]


class SiteError(Exception):
    """The site cannot be built; the message says why."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a repository from which pages are made."""

    root: Path
    notebooks: dict[str, str]
    """Lessons and exercises with their addresses, in order."""
    documents: dict[str, str]

    @classmethod
    def of(cls, root: Path) -> "Sources":
        """Look for the notebooks and the Markdown files of a repository."""
        lessons = sorted(root.glob("notebooks/[0-9]*.ipynb"))
        exercises = sorted(root.glob("exercises/*.ipynb"))
        if not lessons:
            raise SiteError(f"there are no lessons in {root / 'notebooks'}")
        notebooks = {
            path.relative_to(root).as_posix(): f"{folder}/{path.stem}.html"
            for folder, paths in (("lessons", lessons), ("exercises", exercises))
            for path in paths
        }
        return cls(root, notebooks, documents.documents(root))


def lacking(lesson: str) -> str | None:
    """Name the package without which a lesson cannot run here; None if it can."""
    package = NEEDS.get(Path(lesson).stem)
    return package if package and importlib.util.find_spec(package) is None else None


def draw(sources: Sources, run: Run) -> tuple[list[Page], Links]:
    """Draw all pages; `run` gives each lesson's notebook with its recordings."""
    links = Links(sources.root, sources.notebooks | sources.documents)
    pages = [_notebook(source, sources, run, links) for source in sources.notebooks]
    pages += [sheet(), documents.rulebook()]
    pages += [_document(source, sources, links) for source in sources.documents]
    return pages, links


def _notebook(source: str, sources: Sources, run: Run, links: Links) -> Page:
    is_lesson = source.startswith("notebooks/")
    path = sources.notebooks[source]
    found = (run if is_lesson else asked)(sources.root / source)
    group = LESSONS if is_lesson else EXERCISES
    return notebook_page(found, source, path, group, links, _rule_links(path))


def _document(source: str, sources: Sources, links: Links) -> Page:
    rule_links = _rule_links(sources.documents[source])
    return documents.document(sources.root, source, links, rule_links)


def _rule_links(page: str) -> dict[str, str]:
    book = relative(documents.RULEBOOK, page)
    return {rule.id: f"{book}#{rule.id}" for rule in rules.rules()}


def claim(folder: Path) -> None:
    """Raise `SiteError` if the folder holds something else than a site."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise SiteError(f"{folder} is not a built site; it would be replaced. Name another folder")


def write(folder: Path, pages: list[Page], links: Links, pdf: bytes | None = None) -> None:
    """Write the site; raise `SiteError` if the folder holds something else."""
    claim(folder)
    draft = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    _fill(draft, pages, links, pdf)
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def print_sheet(pages: list[Page]) -> bytes:
    """Return the cheat sheet as PDF; raise `NotPrintedError` if it cannot be printed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(ASSETS, folder / "assets")
        (folder / "assets" / "view.css").write_text(css(), encoding="utf-8")
        (folder / PATH).write_text(framed(pages)[PATH], encoding="utf-8")
        return print_page(folder / PATH)


def _fill(folder: Path, pages: list[Page], links: Links, pdf: bytes | None) -> None:
    files = {MARK: b"made by make site\n", "assets/index.js": search.index(pages).encode()}
    files |= {f"assets/{path.name}": path.read_bytes() for path in ASSETS.iterdir()}
    files |= {f"assets/player-{kind}.js": player_js(kind).encode() for kind in ("view", "pair")}
    files["assets/view.css"] = css().encode()
    files |= {copy: (links.root / source).read_bytes() for source, copy in links.files.items()}
    files |= {PDF: pdf} if pdf else {}
    for page in pages:
        files |= page.files
    for path, text in framed(pages, has_pdf=pdf is not None).items():
        files[path] = text.encode()
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def framed(pages: list[Page], *, has_pdf: bool = False) -> dict[str, str]:
    """Return the whole text of each page, with the first page that leads to all of them."""
    environment = Environment(
        loader=PackageLoader("radixlab.site"), autoescape=True, undefined=StrictUndefined
    )
    groups: dict[str, list[Page]] = {}
    for page in pages:
        groups.setdefault(page.group, []).append(page)
    always = {"groups": groups, "policy": POLICY, "tagline": TAGLINE, "pdf": has_pdf and PDF}
    title = "radixlab: watch, break and build RadixAttention"
    front = Page("index.html", title, "", "", lead=TAGLINE)
    template = environment.get_template("index.html")
    texts = {front.path: template.render(page=front, to=_to(front), hero=_hero(pages), **always)}
    for before, page, after in zip([None, *pages], pages, [*pages[1:], None], strict=False):
        near = {
            "before": before if before and before.group == page.group else None,
            "after": after if after and after.group == page.group else None,
            "sections": [heading for heading in page.headings if heading.level == 2],
        }
        template = environment.get_template("page.html")
        texts[page.path] = template.render(page=page, to=_to(page), **near, **always)
    return texts


def _to(page: Page) -> Callable[[str], str]:
    return lambda target: relative(target, page.path) if target else "../" * page.path.count("/")


def _hero(pages: list[Page]) -> str:
    """Return the first player of the course, as the first page shows it."""
    start = pages[0].body.find('<figure class="player"')
    if start < 0:
        return ""
    end = pages[0].body.index("</figure>", start) + len("</figure>")
    return pages[0].body[start:end].replace('="../', '="')
