"""The view's JavaScript and CSS as two strings for anywidget, without a build step or network.

The joined modules of js/ share one scope, so their top-level names must differ; a test parses the
result.
"""

import json
import re
from functools import cache
from pathlib import Path

from radixlab.viz.sources import event_functions

_FOLDER = Path(__file__).parent / "js"
_DEFAULT = re.compile(r"^export default (.*);$", re.MULTILINE)
_IMPORT = re.compile(r'^import .* from "\./(\w+)\.js";\n', re.MULTILINE)


@cache
def esm() -> str:
    """Join view.js and all that it imports; drop the imports, and all exports except one."""
    return _joined("view")


@cache
def pair_esm() -> str:
    """Return the module that shows two runs side by side."""
    return _joined("pair")


@cache
def page_js() -> str:
    """Return the same as a script, with what a page of its own adds."""
    return _joined("view", "jsonl", "page").replace("export default { render };\n", "")


@cache
def pair_page_js() -> str:
    """Return the module of two runs as a script, with what a page of its own adds."""
    return re.sub(r"^export default .*\n", "", _joined("pair", "pairpage"), flags=re.MULTILINE)


@cache
def player_js(kind: str) -> str:
    """Return a classic script that sets `radixlabPlayers[kind]` to anywidget's `render`.

    `kind` is "view" or "pair". A page that is opened from a disk may load such a script; modules
    are refused there.
    """
    start = f"(globalThis.radixlabPlayers ??= {{}}).{kind} = "
    code = _DEFAULT.sub(lambda export: f"{start}({export[1]}).render;", _joined(kind))
    return f"(() => {{\n{code}}})();\n"


@cache
def css() -> str:
    """Return the style sheet."""
    return (_FOLDER / "view.css").read_text(encoding="utf-8")


def _joined(*entries: str) -> str:
    texts: dict[str, str] = {}
    for entry in entries:
        _read(entry, texts)
    code = json.dumps(event_functions())  # for the drawer of sources
    joined = f"const ENGINE_CODE = {code};\n" + _IMPORT.sub("", "\n".join(texts.values()))
    return re.sub(r"^export (?!default)", "", joined, flags=re.MULTILINE)


def _read(name: str, texts: dict[str, str], importers: tuple[str, ...] = ()) -> None:
    """Add a module to `texts` after those that it imports."""
    if name in importers:
        raise ValueError(f"js/{name}.js imports itself, by way of {', '.join(importers)}")
    if name in texts:
        return
    text = (_FOLDER / f"{name}.js").read_text(encoding="utf-8")
    for imported in _IMPORT.findall(text):
        _read(imported, texts, (*importers, name))
    texts[name] = text
