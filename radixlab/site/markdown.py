"""Markdown as HTML: headings with anchors, coloured code, formulas as MathML, links of the site.

The texts are the repository's own, so HTML inside them stays HTML.
"""

import html
import re
from dataclasses import dataclass, field

import mistune
from latex2mathml.converter import convert
from mistune.plugins import Plugin
from mistune.plugins.math import math
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from radixlab.site.anchors import Slug
from radixlab.site.links import Resolve

_TAG = re.compile(r"<[^>]+>")
_NO_HEADER = re.compile(r"<th[^>]*>\s*</th>")
_CELL = re.compile(r"<td([^>]*)>(.*?)</td>", re.DOTALL)
_BEFORE_A_RANGE = re.compile(r" (?=\()")
_WORD = re.compile(r"[^\W\d_]{3,}")
_LONG = 24
"""Characters of a cell that may take several lines, and of code that may break."""
_RULES = re.compile(r"\b[Rr]ules? [A-Z]\d+(?:(?:, (?:and )?| and | or )[A-Z]\d+)*")
_RULE = re.compile(r"\b[A-Z]\d+\b")
PLUGINS: tuple[str | Plugin, ...] = (
    "table",
    "strikethrough",
    "url",
    math,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a page."""

    level: int
    id: str
    text: str


@dataclass
class Converter:
    """Turns the Markdown of one page into HTML, piece by piece, and collects its headings."""

    resolve: Resolve
    slug: Slug
    rules: dict[str, str] = field(default_factory=dict)
    """Ids of rules with links to them."""
    headings: list[Heading] = field(default_factory=list)

    def __post_init__(self) -> None:
        renderer = _Renderer(self)
        self._convert = mistune.create_markdown(renderer=renderer, plugins=PLUGINS)
        renderer.register("table", _table)  # after the plug-ins, which draw their own
        renderer.register("block_math", lambda _, text: formula(text, block=True))
        renderer.register("inline_math", lambda _, text: formula(text))

    def __call__(self, text: str) -> str:
        """Return a piece of Markdown as HTML."""
        return str(self._convert(text))

    def heading(self, inner: str, level: int) -> str:
        """Return a heading with an anchor that no other heading of the page has."""
        text = words(inner)
        base = self.slug(text)
        taken = {heading.id for heading in self.headings}
        ids = [base, *(f"{base}-{number}" for number in range(1, len(taken) + 2))]
        anchor = next(id for id in ids if id not in taken)
        self.headings.append(Heading(level, anchor, text))
        return f'<h{level} id="{html.escape(anchor)}">{inner}</h{level}>\n'


class _Renderer(mistune.HTMLRenderer):
    def __init__(self, page: Converter) -> None:
        super().__init__(escape=False)
        self.page = page

    def heading(self, text: str, level: int, **attrs: object) -> str:
        return self.page.heading(text, level)

    def text(self, text: str) -> str:
        return _RULES.sub(self._linked, super().text(text))

    def _linked(self, found: re.Match[str]) -> str:
        return _RULE.sub(lambda id: self._rule(id[0]), found[0])

    def _rule(self, id: str) -> str:
        target = self.page.rules.get(id)
        return f'<a href="{target}">{id}</a>' if target else id

    def link(self, text: str, url: str, title: str | None = None) -> str:
        target = self.page.resolve(url)
        return text if target is None else f'<a href="{html.escape(target)}">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        target = html.escape(self.page.resolve(url) or "")
        return f'<img src="{target}" alt="{html.escape(words(text))}" loading="lazy">'

    def codespan(self, text: str) -> str:
        """Keep a name or an option on one line: it would break behind each hyphen."""
        kind = ' class="whole"' if len(text) <= _LONG and " " not in text else ""
        return f"<code{kind}>{html.escape(text)}</code>"

    def block_code(self, code: str, info: str | None = None) -> str:
        return coloured(code, (info or "").split(" ")[0])

    def block_html(self, html: str) -> str:
        return "" if html.startswith("<!--") else self._images(html)

    def inline_html(self, html: str) -> str:
        return "" if html.startswith("<!--") else self._images(html)

    def _images(self, text: str) -> str:
        def resolved(found: re.Match[str]) -> str:
            return f'{found[1]}="{html.escape(self.page.resolve(found[2]) or "")}"'

        return re.sub(r'\b(src|srcset|href)="([^"]+)"', resolved, text)


def _table(_: object, text: str) -> str:
    named = _NO_HEADER.sub("<td></td>", text)  # a corner without a word heads nothing
    return f'<div class="table"><table>\n{_CELL.sub(_cell, named)}</table></div>\n'


def _cell(found: re.Match[str]) -> str:
    """Break a figure only before its range, and give a sentence room for several words."""
    style, inner, text = found[1], found[2], words(found[2])
    if not _WORD.search(text) and re.search(r"\d", text):
        parts = [inner] if "<" in inner else _BEFORE_A_RANGE.split(inner)
        return f"<td{style}>{' '.join(_whole(part) for part in parts)}</td>"
    kind = ' class="sentence"' if len(text) > _LONG else ""
    return f"<td{kind}{style}>{inner}</td>"


def _whole(part: str) -> str:
    return f'<span class="whole">{part}</span>'


def formula(text: str, *, block: bool = False) -> str:
    """Return a formula in LaTeX as MathML, which browsers draw without a script."""
    drawn = convert(text.strip(), display="block" if block else "inline")
    return f'<div class="formula">{drawn}</div>\n' if block else drawn


def coloured(code: str, language: str = "python") -> str:
    """Return code in a box of its own, coloured if its language is known."""
    try:
        lexer = get_lexer_by_name(language) if language else None
    except ClassNotFound:
        lexer = None
    text = html.escape(code.rstrip("\n"), quote=False)
    if lexer is not None:
        text = highlight(code.rstrip("\n"), lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
    return f'<pre class="code"><code>{text}</code></pre>\n'


def words(markup: str) -> str:
    """Return the text of some HTML.

    >>> words("<code>a</code> &lt; b")
    'a < b'
    """
    return html.unescape(_TAG.sub("", markup)).strip()
