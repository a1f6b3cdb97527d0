"""Where a link of a source file leads on the site.

A file that became a page is linked as that page. Any other file of the repository is copied beside
the pages. Solutions are never linked. A link that leads nowhere is an error of the source.
"""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HIDDEN = ("solutions/",)
_SHOWN = {".png", ".svg", ".jpg", ".gif", ".pdf", ".html", ".txt"}
"""What a browser shows as it is. Other files get the ending .txt, or it would only save them."""

Resolve = Callable[[str], str | None]
"""Turns a target in the text into one on the page; None if the words stay without a link."""


class DeadLinkError(ValueError):
    """A link of a source file leads nowhere."""


@dataclass
class Links:
    """The pages of a site by their sources, and the files that they need beside them."""

    root: Path
    """The repository."""
    pages: dict[str, str]
    """Source → page, both as paths with forward slashes from their roots."""
    files: dict[str, str] = field(default_factory=dict)
    """Source → copy, for each file that a link has asked for."""

    def of(self, source: str, page: str) -> Resolve:
        """Return the function that resolves the links of `source`, which is shown on `page`."""
        return lambda target: self._resolve(target, source, page)

    def _resolve(self, target: str, source: str, page: str) -> str | None:
        if _SCHEME.match(target) or target.startswith("#"):
            return target
        path, mark, fragment = target.partition("#")
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), unquote(path)))
        if f"{wanted}/".startswith(_HIDDEN):
            return None
        if f"{wanted}/README.md" in self.pages:
            wanted = f"{wanted}/README.md"
        found = self.pages.get(wanted) or self._copied(wanted)
        if found is None:
            raise DeadLinkError(f"{source}: the link to {target} leads nowhere")
        return relative(found, page) + mark + fragment

    def _copied(self, source: str) -> str | None:
        if source.startswith(("../", "/")) or not (self.root / source).is_file():
            return None
        ending = "" if posixpath.splitext(source)[1] in _SHOWN else ".txt"
        return self.files.setdefault(source, f"files/{source}{ending}")


def relative(target: str, page: str) -> str:
    """Return the link from a page to a file of the site.

    >>> relative("assets/site.css", "lessons/00_start_here.html")
    '../assets/site.css'
    """
    return quote(posixpath.relpath(target, posixpath.dirname(page) or "."))
