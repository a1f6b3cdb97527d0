"""What a statement binds, reads and writes: enough to leave out edits that change nothing."""

import ast
import re
from collections import Counter

WORD = re.compile(r"[A-Za-z][\w-]*")


def is_word(node: ast.AST) -> bool:
    """Whether it is a text that code compares, such as a name of a phase."""
    value = getattr(node, "value", None)
    return isinstance(node, ast.Constant) and type(value) is str and bool(WORD.fullmatch(value))


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def defaults(node: ast.AST) -> bool:
    return bool(getattr(node, "defaults", None) or getattr(node, "kw_defaults", None))


def names_of(scope: ast.AST) -> list[str]:
    """List the variables of a function, arguments included."""
    if not isinstance(scope, ast.FunctionDef):
        return []
    arguments = [arg.arg for arg in ast.walk(scope) if isinstance(arg, ast.arg)]
    return sorted({*arguments, *stored(scope)} - {"self", "_"})


def stored(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store}


def loaded(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and type(n.ctx) is ast.Load}


def written(node: ast.AST) -> set[str]:
    """The texts of all that a statement stores or deletes."""
    return {
        ast.unparse(n)
        for n in ast.walk(node)
        if type(getattr(n, "ctx", None)) in (ast.Store, ast.Del) and not isinstance(n, ast.Tuple)
    }


def independent(one: ast.stmt, other: ast.stmt) -> bool:
    """Whether two statements surely do the same in either order."""
    if any(isinstance(n, ast.Call) for node in (one, other) for n in ast.walk(node)):
        pure = isinstance(one, ast.Assign) and isinstance(other, ast.Assign)
        if not pure:
            return False
    texts = [{ast.unparse(n) for n in ast.walk(node) if hasattr(n, "ctx")} for node in (one, other)]
    return not (written(one) & texts[1] or written(other) & texts[0])


def binds_for(one: ast.stmt, other: ast.stmt) -> bool:
    """Whether the first binds a variable that the second needs: swapped, it would only raise."""
    if not isinstance(one, ast.Assign):
        return False
    return bool(stored(one) & loaded(other))


def binds_first(node: ast.stmt, scope: ast.AST | None) -> bool:
    """Whether it is the only place that binds a variable: without it, all else would raise."""
    if not isinstance(node, ast.Assign) or scope is None:
        return False
    bound = Counter(_bound(scope))
    return any(bound[name] == num for name, num in Counter(_bound(node)).items())


def _bound(node: ast.AST) -> list[str]:
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store]
    return names + [n.arg for n in ast.walk(node) if isinstance(n, ast.arg)]
