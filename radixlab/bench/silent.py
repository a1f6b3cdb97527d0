"""A copy of the engine without its emit statements: what events cost when nobody listens.

The copy is made while it is imported: `radixlab.cache` is parsed, every `if emit: emit(…)` is taken
out of the syntax tree, and the rest is compiled under another name. So it cannot fall behind the
engine, and no switch for it is in the engine. For the build by mypyc, `without_emits` does the same
to the text of a file, before it is compiled (`hatch_build.py`).
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from radixlab import cache

COPY = "radixlab_silent"
ENGINE = "radixlab.cache"
LISTENERS = {"emit", "_emit"}

Node = TypeVar("Node", bound=ast.AST)


def silent_engine() -> ModuleType:
    """Import the copy: a module like `radixlab.cache`."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())  # before the one that would find the plain files
    return importlib.import_module(COPY)


def strip_emits(source: str) -> ast.Module:
    """Parse `source` without the statements that ask for a listener.

    >>> ast.unparse(strip_emits("if self._emit: self._emit(1); x = 2"))
    ''
    """
    tree = ast.parse(source)
    _Strip().visit(tree)
    return ast.fix_missing_locations(tree)


def without_emits(source: str) -> str:
    r"""Put `pass` for the statements that ask for a listener; no other line changes or moves.

    >>> without_emits("x = 1\nif emit:\n    emit(x)\n")
    'x = 1\npass\n\n'
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If) and _asks_for_listener(node.test) and not node.orelse:
            assert node.end_lineno is not None
            first, last = node.lineno - 1, node.end_lineno
            lines[first:last] = [" " * node.col_offset + "pass\n", *["\n"] * (last - first - 1)]
    return "".join(lines)


class _Strip(ast.NodeTransformer):
    """Takes `if emit: …` out, and points imports of the engine to the copy."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if _asks_for_listener(node.test) else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module and f"{node.module}.".startswith(f"{ENGINE}."):
            node.module = COPY + node.module.removeprefix(ENGINE)
        return node

    def generic_visit(self, node: Node) -> Node:
        super().generic_visit(node)
        if not isinstance(node, ast.Module) and getattr(node, "body", None) == []:
            vars(node)["body"] = [ast.Pass()]
        return node


def _asks_for_listener(test: ast.expr) -> bool:
    names = {getattr(node, "attr", getattr(node, "id", None)) for node in ast.walk(test)}
    return bool(names & LISTENERS)


class _Finder(MetaPathFinder, Loader):
    """Answers for the copy's modules only."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != COPY and not name.startswith(f"{COPY}."):
            return None
        folder = Path(cache.__file__).parent.joinpath(*name.split(".")[1:])
        is_package = folder.is_dir()
        file = folder / "__init__.py" if is_package else folder.with_suffix(".py")
        return importlib.util.spec_from_file_location(
            name, file, loader=self, submodule_search_locations=[] if is_package else None
        )

    def exec_module(self, module: ModuleType) -> None:
        file = module.__file__
        assert file is not None
        tree = strip_emits(Path(file).read_text(encoding="utf-8"))
        exec(compile(tree, file, "exec"), module.__dict__)
