"""Where the engine says it: the line of radixlab/cache/ behind each site that emits an event.

A site is the name that the emitting statement gives its event, `site="tree.split"`, and no other
statement has it. Reads the engine's source as text and imports nothing of it but the rulebook, so
the lines are the same whether the engine runs from source or compiled. What is not found is left
out; the view shows no line then.
"""

import ast
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import radixlab
from radixlab.cache.rules import of
from radixlab.events import EVENT_TYPES


@cache
def event_sources() -> dict[str, str]:
    """Map sites to places such as `cache/tree.py:123 in RadixTree.split (rules M5, M6)`."""
    return {
        site: _place(path, line, function)
        for path in sorted((Path(radixlab.__file__).parent / "cache").rglob("*.py"))
        for site, line, function in emissions(path)
    }


@cache
def event_functions() -> dict[str, dict[str, object]]:
    """Map sites to the function around them: its first line, the line that emits, and its code."""
    functions: dict[str, dict[str, object]] = {}
    for path in sorted((Path(radixlab.__file__).parent / "cache").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        lines, module = text.splitlines(), ast.parse(text)
        for site, line, _ in emissions(path):
            first, last = _innermost(module, line)
            code = textwrap.dedent("\n".join(lines[first - 1 : last]))
            functions[site] = {"first": first, "line": line, "code": code}
    return functions


def _innermost(module: ast.Module, line: int) -> tuple[int, int]:
    """Return the first and last line of the innermost function around a line."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    around = [f for f in functions if f.lineno <= line <= (f.end_lineno or f.lineno)]
    innermost = max(around, key=lambda f: f.lineno)
    return innermost.lineno, innermost.end_lineno or innermost.lineno


def _place(path: Path, line: int, function: str) -> str:
    """Name a line, its function, and the rules that the function enforces."""
    file = path.relative_to(Path(radixlab.__file__).parent)
    module = ".".join(file.with_suffix("").parts)
    ids = [rule.id for rule in of(f"radixlab.{module}.{function}")]
    rules = f" (rule{'s' if len(ids) > 1 else ''} {', '.join(ids)})" if ids else ""
    return f"{file.as_posix()}:{line} in {function}{rules}"


def emissions(path: Path) -> Iterator[tuple[str, int, str]]:
    """Yield `(site, line, qualified function name)` for each event that a file constructs."""
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError):
        return
    stack: list[tuple[ast.AST, str]] = [(module, "")]
    while stack:
        node, where = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            where = f"{where}.{node.name}".lstrip(".")
        if isinstance(node, ast.Call) and _called_name(node) in EVENT_TYPES:
            yield _site(node), node.lineno, where
        stack += [(child, where) for child in reversed(list(ast.iter_child_nodes(node)))]


def _called_name(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _site(call: ast.Call) -> str:
    """Return the name that the call gives its site; "" if it gives none."""
    sites = (keyword.value for keyword in call.keywords if keyword.arg == "site")
    return next((str(site.value) for site in sites if isinstance(site, ast.Constant)), "")
