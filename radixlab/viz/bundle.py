"""The view's JavaScript and CSS as two strings for anywidget, without a build step or network.

The joined modules of js/ share one scope, so their top-level names must differ; a test parses the
result.
"""

import json
import re
from functools import cache
from pathlib import Path

from radixlab.viz.sources import event_functions

_MODULES = ["shown", "collapse", "modes", "grid", "cells", "note", "search", "rove", "mapmodes"]
_MODULES += ["card", "zoom", "minimap", "plane", "history", "spark", "range", "drawer"]
_MODULES += ["fold", "calls", "timeline", "layout", "facts", "summary", "changes", "why"]
_MODULES += [
    "dom",
    "palette",
    "links",
    "sequences",
    "tree",
    "blockmap",
    "gauges",
    "lanes",
    "player",
]
_MODULES += ["keys", "sight", "cell", "feed", "log", "clock", "panels", "view"]
_FOLDER = Path(__file__).parent / "js"


@cache
def esm() -> str:
    """Join the modules in the order of their imports; drop imports, and all exports except one."""
    joined = "\n".join((_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _MODULES)
    without_imports = re.sub(r"^import .*\n", "", joined, flags=re.MULTILINE)
    code = json.dumps(event_functions())  # for the drawer of sources
    return f"const ENGINE_CODE = {code};\n" + re.sub(
        r"^export (?!default)", "", without_imports, flags=re.MULTILINE
    )


@cache
def css() -> str:
    """Return the style sheet."""
    return (_FOLDER / "view.css").read_text(encoding="utf-8")
