"""What the search box knows: every section of every page, with its words."""

import html
import json
import re
from collections.abc import Iterable, Iterator

from radixlab.site.page import Page

_HEADING = re.compile(r'<h[1-4] id="([^"]+)">(.*?)</h[1-4]>|<article class="rule" id="([^"]+)">')
_SKIPPED = re.compile(r"<(details|form|svg|math|style)\b.*?</\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def index(pages: Iterable[Page]) -> str:
    """Return a script that sets `radixlabIndex`: rows of page title, section, address and words."""
    rows = [row for page in pages for row in _sections(page)]
    return f"radixlabIndex={json.dumps(rows, separators=(',', ':'))};\n"


def _sections(page: Page) -> Iterator[tuple[str, str, str, str]]:
    body = _SKIPPED.sub(" ", page.body)
    starts = [*_HEADING.finditer(body)]
    ends = [*(start.start() for start in starts[1:]), len(body)]
    for start, end in zip(starts, ends, strict=True):
        anchor = start[1] or start[3]
        name = _words(start[2] or "")
        text = _words(body[start.end() : end])
        yield page.title, name, f"{page.path}#{html.unescape(anchor)}", text


def _words(markup: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())
