"""Where the engine says it: for each event type, the line of radixlab/cache/ that makes the event.

Reads the engine's source as text and imports nothing of it but the rulebook. What is not found is
left out; the view shows no line then.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import radixlab
from radixlab.cache.rules import of
from radixlab.events import EVENT_TYPES


@cache
def event_sources() -> dict[str, str]:
    """Map event types to places such as `cache/tree.py:123 in RadixTree.split (rules M5, M6)`."""
    found: dict[str, str] = {}
    for path in sorted((Path(radixlab.__file__).parent / "cache").glob("*.py")):
        for name, line, function in _event_calls(path):
            found.setdefault(name, _place(path, line, function))
    return found


def _place(path: Path, line: int, function: str) -> str:
    """Name a line, its function, and the rules that the function enforces."""
    file = path.relative_to(Path(radixlab.__file__).parent)
    module = ".".join(file.with_suffix("").parts)
    ids = [rule.id for rule in of(f"radixlab.{module}.{function}")]
    rules = f" (rule{'s' if len(ids) > 1 else ''} {', '.join(ids)})" if ids else ""
    return f"{file.as_posix()}:{line} in {function}{rules}"


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
