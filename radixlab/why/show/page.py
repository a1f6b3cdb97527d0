"""The report as one offline page, and as a piece of HTML for a notebook's cell.

The page has no script and asks no network: its content policy forbids both, and allows one style
sheet by its digest. All text of a log is untrusted: it is escaped twice, for what nobody would see
and for HTML.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from radixlab.files import replace_text
from radixlab.why.report import Report
from radixlab.why.show.breaks import breaks
from radixlab.why.show.markup import safe
from radixlab.why.show.paint import TEXT, patterns
from radixlab.why.show.sections import about, fixes, head, skipped, tokens, tree
from radixlab.why.show.tree import tree_svg
from radixlab.why.show.words import Prices

_HEADING = re.compile(r"<(/?)h([123])>")
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{css}</style>
</head>
<body class="rw-page">
<main>
{body}
</main>
</body>
</html>
"""


def page(report: Report, name: str, prices: Prices | None = None) -> str:
    """Return the whole page; `name` is what the log is called in its title."""
    return _PAGE.format(
        policy=f"default-src 'none'; style-src 'sha256-{_digest(css())}'; base-uri 'none'; "
        "form-action 'none'",
        title=f"Why did this cache miss? {safe(name)}",
        css=css(),
        body=_body(report, name, prices, tree_svg(report.branches)),
    )


def cell(report: Report, name: str, prices: Prices | None = None) -> str:
    """Return the same for a notebook.

    The tree is an image, which a notebook shows before it is trusted, too. The headings are not
    those of the notebook, so they stay out of its table of contents.
    """
    svg = tree_svg(report.branches, ink=TEXT).encode("utf-8")
    image = f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(svg).decode()}">'
    body = _HEADING.sub(_plain_heading, _body(report, name, prices, image))
    return f"<style>{css()}</style>{body}"


def save_page(path: Path, report: Report, name: str, prices: Prices | None = None) -> str:
    """Write the page, whole or not at all; return a line with its size."""
    text = page(report, name, prices)
    replace_text(path, text)
    return f"{path}: {len(text.encode()) / 1e3:,.0f} kB"


@cache
def css() -> str:
    """Return the style sheet."""
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


def _body(report: Report, name: str, prices: Prices | None, picture: str) -> str:
    parts = [
        f'<svg class="rw-defs" width="0" height="0" aria-hidden="true">{patterns()}</svg>',
        head(report, name),
    ]
    if report.requests:
        parts += [tokens(report, prices), fixes(report), *breaks(report, prices)]
        parts += [tree(report, picture)]
    parts += [skipped(report), about(report)]
    return f'<div class="rw">{"".join(parts)}</div>'


def _plain_heading(tag: re.Match[str]) -> str:
    slash, level = tag[1], int(tag[2])
    return (
        "</div>" if slash else f'<div role="heading" aria-level="{level + 2}" class="rw-h{level}">'
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
