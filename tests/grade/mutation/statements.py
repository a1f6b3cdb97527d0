"""Edits of statements: removed, swapped, moved, repeated once, left early."""

import ast
from collections.abc import Iterator

from tests.grade.mutation.bindings import (
    binds_first,
    binds_for,
    independent,
    is_text,
    loaded,
    stored,
)
from tests.grade.mutation.source import Source

SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Delete)
LOOPS = (ast.For, ast.While)
Splice = tuple[str, int, int, int, str]
"""Kind, line, start, end and text."""


class Statements:
    """The blocks of one source, and what people forget or do at the wrong time there."""

    def __init__(self, code: Source) -> None:
        self.code = code
        functions = [n for n in ast.walk(code.tree) if isinstance(n, ast.FunctionDef)]
        self.scopes = {inner: outer for outer in functions for inner in ast.walk(outer)}
        """By statement: the innermost function that it stands in."""

    def edits(self) -> Iterator[Splice]:
        """Yield every edit."""
        for body, owner in self.code.bodies():
            yield from self._body(body, owner)

    def _body(self, body: list[ast.stmt], owner: ast.AST) -> Iterator[Splice]:
        in_init = isinstance(owner, ast.FunctionDef) and owner.name == "__init__"
        for place, node in enumerate(body):
            if isinstance(node, SIMPLE) and not is_text(node) and not in_init:
                if not binds_first(node, self.scopes.get(node)):
                    yield self._replace(node, "forgotten-update", "pass")
                yield from self._moved(body, place, owner)
            if isinstance(node, ast.AugAssign):
                text = f"{self.code.text(node.target)} = {self.code.text(node.value)}"
                yield self._replace(node, "forgotten-update", text)
            if isinstance(node, ast.If) and not node.orelse and place + 1 < len(body):
                yield self._replace(node, "forgotten-update", "pass")
            if isinstance(node, ast.Break | ast.Continue):
                yield self._replace(node, "stale-state", "pass")
            if isinstance(node, ast.Return) and owner.__class__ is not ast.FunctionDef:
                yield self._replace(node, "stale-state", "pass")
            if isinstance(node, LOOPS):
                yield from self._loop(node)
            if place + 1 < len(body):
                yield from self._swapped(node, body[place + 1])
        if isinstance(owner, ast.FunctionDef) and not in_init:
            yield from self._early_return(body)

    def _replace(self, node: ast.stmt, kind: str, text: str) -> Splice:
        start, end = self.code.span(node)
        return (kind, node.lineno, start, end, text)

    def _whole_lines(self, node: ast.stmt) -> tuple[int, int]:
        return self.code.offsets[node.lineno - 1], self.code.offsets[node.end_lineno]

    def _own_lines(self, node: ast.stmt) -> bool:
        """Whether nothing else stands on its lines."""
        before = self.code.lines[node.lineno - 1].encode()[: node.col_offset].decode()
        after = (
            self.code.lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode().strip()
        )
        return not before.strip() and (not after or after.startswith("#"))

    def _swapped(self, one: ast.stmt, other: ast.stmt) -> Iterator[Splice]:
        usual = (*SIMPLE, *LOOPS, ast.If)
        if not (isinstance(one, usual) and isinstance(other, usual)):
            return
        if is_text(one) or not (self._own_lines(one) and self._own_lines(other)):
            return
        if independent(one, other) or binds_for(one, other):
            return
        (a, b), (c, d) = self._whole_lines(one), self._whole_lines(other)
        text = self.code.whole
        tail = "" if text[c:d].endswith("\n") else "\n"
        yield ("swapped-order", one.lineno, a, d, text[c:d] + tail + text[b:c] + text[a:b])

    def _moved(self, body: list[ast.stmt], place: int, owner: ast.AST) -> Iterator[Splice]:
        """Update too late (at the end of the block), or once before the loop."""
        node = body[place]
        if not self._own_lines(node):
            return
        start, end = self._whole_lines(node)
        last = body[-1]
        late = len(body) - place > 2 and not isinstance(last, ast.Return) and self._own_lines(last)
        if late and not binds_for(node, body[place + 1]):
            stop = self._whole_lines(last)[1]
            if self.code.whole[start:stop].endswith("\n"):
                moved = self.code.whole[end:stop] + self.code.whole[start:end]
                yield ("stale-state", node.lineno, start, stop, moved)
        if isinstance(owner, LOOPS) and isinstance(node, ast.Assign) and self._own_lines(owner):
            drawn = stored(owner.target) if isinstance(owner, ast.For) else set()
            if len(body) > 1 and not drawn & loaded(node):
                begin, stop = self._whole_lines(owner)
                indent = " " * owner.col_offset
                hoisted = indent + self.code.whole[start:end].lstrip()
                rest = self.code.whole[begin:start] + self.code.whole[end:stop]
                yield ("stale-state", node.lineno, begin, stop, hoisted + rest)

    def _loop(self, node: ast.For | ast.While) -> Iterator[Splice]:
        last = node.body[-1]
        if self._own_lines(last) and not isinstance(last, ast.Return | ast.Break | ast.Continue):
            stop = self._whole_lines(last)[1]
            line = " " * node.body[0].col_offset + "break\n"
            yield ("stale-state", last.lineno, stop, stop, line)
        if isinstance(node, ast.While) and not isinstance(node.test, ast.Constant):
            start = self.code.span(node)[0]
            if not any(isinstance(child, ast.Break | ast.Continue) for child in ast.walk(node)):
                yield ("stale-state", node.lineno, start, start + len("while"), "if")

    def _early_return(self, body: list[ast.stmt]) -> Iterator[Splice]:
        """Return before the last update."""
        for node in body[1:]:
            update = isinstance(node, SIMPLE) and not is_text(node)
            if update and self._own_lines(node) and not isinstance(body[-1], ast.Return):
                start = self.code.offsets[node.lineno - 1]
                line = " " * node.col_offset + "return\n"
                yield ("stale-state", node.lineno, start, start, line)
