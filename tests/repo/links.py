"""The links of the repository's texts: where each stands, and whether it leads somewhere.

A relative link must lead to a file, and to a heading or a cell in it where it names one. A link to
the web is only read: it must be well formed, because tests ask no network.
"""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from radixlab.site.anchors import slug_of_document, slug_of_notebook

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"^(```|~~~).*?^\1|^(?: {4}|\t).*?$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)")
_HTML = re.compile(r"""\b(?:src|srcset|href)=["']([^"']*)["']""")
_BARE = re.compile(r"(?<!\]\()(?<![<\"'])\bhttps?://[^\s)>\"'`]+")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|[*`]|(?<!\w)_|_(?!\w)")
_HOST = re.compile(
    r"^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9-]+)*(?::\d+)?$", re.IGNORECASE
)


def texts(root: Path = ROOT) -> Iterator[Path]:
    """All files whose links are looked at."""
    patterns = ("*.md", "docs/*.md", "deploy/**/*.md", "benchmarks/**/*.md", "exercises/*.md")
    notebooks = ("notebooks/*.ipynb", "exercises/*.ipynb", "solutions/*.ipynb")
    for pattern in (*patterns, *notebooks):
        yield from sorted(root.glob(pattern))


def prose(path: Path) -> str:
    """The Markdown of a file; a notebook's prose cells, and the Markdown that its cells printed."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n\n".join("".join(cell["source"]) for cell in _cells(text, "markdown"))


def _cells(text: str, kind: str) -> list[dict]:
    return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == kind]


def links(text: str) -> Iterator[str]:
    """The targets of all links of some Markdown, outside of code."""
    plain = _CODE.sub(" ", text)
    for pattern in (_LINK, _HTML):
        yield from (found[1] for found in pattern.finditer(plain))
    yield from (found[0].rstrip(".,;:") for found in _BARE.finditer(plain))


@functools.cache
def anchors(path: Path) -> frozenset[str]:
    """What a link may name in a file: its headings, and the cells of a notebook."""
    text = prose(path)
    slug = slug_of_notebook if path.suffix == ".ipynb" else slug_of_document
    plain = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)
    found = [slug(_MARKUP.sub(r"\1", words)) for words in _HEADING.findall(plain)]
    more = [f"{each}-{found[:k].count(each)}" for k, each in enumerate(found) if each in found[:k]]
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        more += [f"cell-id={cell['id']}" for cell in cells if "id" in cell]
    return frozenset([*found, *more])


def fault(target: str, path: Path) -> str | None:
    """What is wrong with a link of the file `path`; None if it is right."""
    if re.match(r"^[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
        return _fault_of_address(target)
    name, _, fragment = target.partition("#")
    file = (path.parent / unquote(name)).resolve() if name else path
    if not target or (not file.is_relative_to(ROOT) and not file.is_relative_to(path.parent)):
        return "leads out of the repository"
    if not file.exists():
        return "leads to no file"
    if fragment and file.suffix in (".md", ".ipynb") and unquote(fragment) not in anchors(file):
        return f"names no heading or cell of {file.name}"
    return None


def _fault_of_address(target: str) -> str | None:
    try:
        parts = urlsplit(target)
    except ValueError:
        return "is no address"
    if parts.scheme == "mailto":
        return None if "@" in parts.path else "is no address"
    if parts.scheme not in ("http", "https"):
        return f"has the scheme {parts.scheme}"
    return None if _HOST.match(parts.netloc) else "has no host"
