"""Which calls a cell makes, read from its source: `predict("00/blocks", …)`. It runs nothing."""

import ast
from collections.abc import Iterator


def without_magics(source: str) -> str:
    """Return a cell's source as plain Python: lines for IPython only become empty."""
    lines = source.split("\n")
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def parsed(source: str) -> ast.Module:
    """Return the syntax tree of a cell; an empty one if it is not valid Python."""
    try:
        return ast.parse(without_magics(source))
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def calls(source: str, name: str) -> Iterator[ast.Call]:
    r"""Yield the calls of the function `name` in a cell.

    >>> [call.lineno for call in calls("predict('a')\nif wide: predict('b')", "predict")]
    [1, 2]
    """
    for node in ast.walk(parsed(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def keys(source: str, name: str) -> list[str]:
    """Return the first arguments of these calls that are string literals.

    >>> keys("reveal('00/blocks', 16)", "reveal")
    ['00/blocks']
    """
    first = (call.args[0] for call in calls(source, name) if call.args)
    return [str(arg.value) for arg in first if isinstance(arg, ast.Constant)]
