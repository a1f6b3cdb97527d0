"""A source as text and as a tree, and which parts of it are worth changing."""

import ast
from collections.abc import Iterator

from tests.grade.mutation.bindings import defaults


class Source:
    """Texts that only people read (docstrings, messages, annotations) and imports are passed by."""

    def __init__(self, text: str) -> None:
        self.whole = text
        self.lines = text.splitlines(keepends=True)
        self.tree = ast.parse(text)
        self.offsets = [0]
        for line in self.lines:
            self.offsets.append(self.offsets[-1] + len(line))

    def worth_changing(self, top: ast.AST) -> Iterator[ast.AST]:
        """Walk through what runs, without annotations and messages."""
        for child in ast.iter_child_nodes(top):
            if isinstance(child, ast.Import | ast.ImportFrom | ast.Raise | ast.JoinedStr):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            if isinstance(child, ast.arg | ast.arguments) and not defaults(child):
                continue
            if isinstance(child, ast.Assign) and "__slots__" in ast.unparse(child.targets[0]):
                continue
            if isinstance(top, ast.AnnAssign) and child is top.annotation:
                continue
            if isinstance(top, ast.FunctionDef) and child is top.returns:
                continue
            if hasattr(child, "lineno"):
                yield child
            yield from self.worth_changing(child)

    def scopes(self) -> list[ast.AST]:
        """List the outermost functions, and what stands outside of any."""
        found: list[ast.AST] = []

        def visit(node: ast.AST) -> None:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.FunctionDef | ast.Assign | ast.Expr | ast.AnnAssign):
                    if not (isinstance(child, ast.FunctionDef) and child.name == "__repr__"):
                        found.append(child)
                else:
                    visit(child)

        visit(self.tree)
        return found

    def bodies(self) -> Iterator[tuple[list[ast.stmt], ast.AST]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Module | ast.ClassDef):
                continue
            for field in ("body", "orelse", "finalbody"):
                body = getattr(node, field, None)
                if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                    yield body, node

    def at(self, line: int, column: int) -> int:
        """Columns of `ast` count bytes."""
        before = self.lines[line - 1].encode()[:column].decode()
        return self.offsets[line - 1] + len(before)

    def span(self, node: ast.AST) -> tuple[int, int]:
        return (
            self.at(node.lineno, node.col_offset),
            self.at(node.end_lineno, node.end_col_offset),
        )

    def text(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.whole[start:end]
