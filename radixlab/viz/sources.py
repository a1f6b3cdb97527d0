"""For each event type, the line of radixlab/cache/ that makes the event.

This file reads the engine's source as text and imports none of it. A type that is not found is left
out; then the view shows no line.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import radixlab
from radixlab.events import EVENT_TYPES


@cache
def event_sources() -> dict[str, str]:
    """Map event types to source lines such as `cache/tree.py:123 in RadixTree.split`."""
    found: dict[str, str] = {}
    package = Path(radixlab.__file__).parent
    for path in sorted((package / "cache").glob("*.py")):
        for name, line, function in _event_calls(path):
            found.setdefault(name, f"{path.relative_to(package).as_posix()}:{line} in {function}")
    return found


def _event_calls(path: Path) -> Iterator[tuple[str, int, str]]:
    """Yield `(event type, line, qualified function name)` for each event the file constructs."""
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return
    stack: list[tuple[ast.AST, str]] = [(module, "")]
    while stack:
        node, where = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            where = f"{where}.{node.name}".lstrip(".")
        if isinstance(node, ast.Call) and (name := _called_name(node)) in EVENT_TYPES:
            yield name, node.lineno, where
        stack += [(child, where) for child in reversed(list(ast.iter_child_nodes(node)))]


def _called_name(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
