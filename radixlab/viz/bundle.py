"""The view's JavaScript and CSS as the two strings that anywidget takes: no build step, no network.

The modules of js/ share one scope once joined, so their top-level names differ; a test parses the
result.
"""

import re
from functools import cache
from pathlib import Path

_MODULES = ["fold", "timeline", "layout", "facts", "summary", "changes", "why", "dom", "palette"]
_MODULES += ["links", "sequences", "tree", "blockmap", "gauges", "player", "keys", "sight", "view"]
_FOLDER = Path(__file__).parent / "js"


@cache
def esm() -> str:
    """Join the modules, each after those it imports: imports go, and all exports but one."""
    joined = "\n".join((_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _MODULES)
    without_imports = re.sub(r"^import .*\n", "", joined, flags=re.MULTILINE)
    return re.sub(r"^export (?!default)", "", without_imports, flags=re.MULTILINE)


@cache
def css() -> str:
    """Return the style sheet."""
    return (_FOLDER / "view.css").read_text(encoding="utf-8")
