"""Rewrites the links and pictures of a notebook that moves to another folder, so that they work.

This file knows how Markdown and HTML name files. It reads no file.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

_TARGET = re.compile(r"""(\]\(|<(?:img|a)\b[^>]*?\b(?:src|href)=["'])([^)"'\s]+)""")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|[/#]", re.IGNORECASE)


def relink(document: dict[str, Any], old: Path, new: Path, home_of: Callable[[Path], Path]) -> None:
    """Change a notebook's links in place.

    Parameters
    ----------
    old, new
        The notebook's folder before and after.
    home_of
        Where a file that a link names is to be looked for: a lesson's copy rather than the lesson.
    """

    def moved(found: re.Match[str]) -> str:
        target = found[2]
        if _ELSEWHERE.match(target):
            return found[0]
        path, mark, part = target.partition("#")
        file = home_of(Path(os.path.normpath(old / unquote(path))))
        return found[1] + quote(Path(os.path.relpath(file, new)).as_posix()) + mark + part

    for cell in document.get("cells", ()):
        if cell["cell_type"] == "markdown":
            text = _TARGET.sub(moved, "".join(cell["source"]))
            cell["source"] = text.splitlines(keepends=True)
