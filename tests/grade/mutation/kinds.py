"""Where a source can be broken, and how: every edit is one small splice of the text.

Six kinds, after the mistakes that people make: off by one, wrong key, forgotten update, swapped
order, wrong bound, stale state. Texts that only people read (docstrings, messages, annotations)
and imports stay as they are.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

KINDS = (
    "off-by-one",
    "wrong-key",
    "forgotten-update",
    "swapped-order",
    "wrong-bound",
    "stale-state",
)
BOUNDS = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<",),
    ast.Gt: (">=", "<"),
    ast.GtE: (">",),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
OTHER_CALL = {"min": "max", "max": "min", "any": "all", "all": "any"}
OTHER_OPERATOR = {ast.Add: "-", ast.Sub: "+", ast.FloorDiv: "/", ast.Mod: "//", ast.Mult: "+"}
NOT_COMMUTATIVE = {ast.Sub: "-", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**"}
COPIES = {"list", "tuple", "dict", "set", "copy", "deepcopy"}
BY_KEY = {"get", "pop", "setdefault", "index", "discard", "add", "move_to_end"}
SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Delete)
LOOPS = (ast.For, ast.While)
WORD = re.compile(r"[A-Za-z][\w-]*")


@dataclass(frozen=True, slots=True)
class Edit:
    """A splice: the text from `start` to `end` becomes `text`."""

    kind: str
    line: int
    start: int
    end: int
    text: str


def edits(source: str) -> list[Edit]:
    """List every edit of a source, in no order that matters."""
    return list(dict.fromkeys(_Finder(source).all()))


class _Finder:
    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = source.splitlines(keepends=True)
        self.tree = ast.parse(source)
        self.offsets = [0]
        for line in self.lines:
            self.offsets.append(self.offsets[-1] + len(line))
        self.nodes = list(self._worth_changing(self.tree))
        self.attributes = self._attributes()
        self.words = sorted({node.value for node in self.nodes if _is_word(node)})
        self.numbers = {text for node in self.nodes for text in self._counted(node)}

    def all(self) -> Iterator[Edit]:
        for scope in self._scopes():
            names = _names_of(scope)
            begins = isinstance(scope, ast.FunctionDef) and scope.name == "__init__"
            for node in self._worth_changing(scope):
                for start, end, kind, text in self._expression(node, names):
                    if not (begins and kind == "forgotten-update"):  # all else would raise
                        yield Edit(kind, node.lineno, start, end, text)
        for body, owner in self._bodies():
            yield from self._statements(body, owner)

    # What is looked at

    def _worth_changing(self, top: ast.AST) -> Iterator[ast.AST]:
        """Walk through what runs, without annotations and messages."""
        for child in ast.iter_child_nodes(top):
            if isinstance(child, ast.Import | ast.ImportFrom | ast.Raise | ast.JoinedStr):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            if isinstance(child, ast.arg | ast.arguments) and not _defaults(child):
                continue
            if isinstance(child, ast.Assign) and "__slots__" in ast.unparse(child.targets[0]):
                continue
            if isinstance(top, ast.AnnAssign) and child is top.annotation:
                continue
            if isinstance(top, ast.FunctionDef) and child is top.returns:
                continue
            if hasattr(child, "lineno"):
                yield child
            yield from self._worth_changing(child)

    def _scopes(self) -> list[ast.AST]:
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

    def _bodies(self) -> Iterator[tuple[list[ast.stmt], ast.AST]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Module | ast.ClassDef):
                continue
            for field in ("body", "orelse", "finalbody"):
                body = getattr(node, field, None)
                if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                    yield body, node

    def _attributes(self) -> dict[tuple[str, bool], list[str]]:
        """By what it is read of and whether it is called: the attributes that are seen there."""
        called = {id(node.func) for node in self.nodes if isinstance(node, ast.Call)}
        found: dict[tuple[str, bool], set[str]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                key = node.value.id, id(node) in called
                found.setdefault(key, set()).add(node.attr)
        return {key: sorted(names) for key, names in found.items()}

    def _counted(self, node: ast.AST) -> Iterator[str]:
        """Yield the texts of what is surely a number, so that 1 can be taken off."""
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Mod):
            yield ast.unparse(node)
            yield from (ast.unparse(side) for side in (node.left, node.right))
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Lt | ast.Gt | ast.LtE):
            yield ast.unparse(node.left)
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Call):
            called, target = ast.unparse(node.iter.func), node.target
            if called == "range":
                yield ast.unparse(target)
            if called == "enumerate" and isinstance(target, ast.Tuple):
                yield ast.unparse(target.elts[0])

    # Text and positions

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
        return self.source[start:end]

    # Expressions

    def _expression(self, node: ast.AST, names: list[str]) -> Iterator[tuple[int, int, str, str]]:
        found = {
            ast.Constant: self._constant,
            ast.Call: self._call,
            ast.Subscript: self._subscript,
            ast.Attribute: self._attribute,
            ast.Dict: self._dict,
            ast.Compare: self._compare,
            ast.BoolOp: self._bool_op,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._bin_op,
            ast.Tuple: self._tuple,
            ast.List: self._list,
            ast.Lambda: self._lambda,
            ast.IfExp: self._condition,
            ast.If: self._condition,
            ast.While: self._condition,
        }.get(type(node))
        if found is None:
            return
        for where, kind, text in found(node, names):
            start, end = self.span(where)
            if text[0] == "(" and self.source[start - 1] == "(" and self.source[end] == ")":
                text = text[1:-1]
            yield start, end, kind, text

    def _constant(self, node, names):
        if type(node.value) is int:
            yield node, "off-by-one", str(node.value + 1)
            if node.value > 0:
                yield node, "off-by-one", str(node.value - 1)
        elif _is_word(node) and node.value in self.words:
            place = self.words.index(node.value)
            for step in (1, 2):
                other = self.words[(place + step) % len(self.words)]
                if other != node.value:
                    yield node, "wrong-key", repr(other).replace("'", '"')

    def _call(self, node, names):
        name = node.func.id if isinstance(node.func, ast.Name) else None
        texts = [self.text(arg) for arg in node.args]
        if name in OTHER_CALL:
            yield node.func, "wrong-bound", OTHER_CALL[name]
        if name == "len":
            yield node, "off-by-one", f"({self.text(node)} - 1)"
            yield node, "off-by-one", f"({self.text(node)} + 1)"
        if name in ("range", "reversed", "enumerate") and node.args:
            last = node.args[-1] if name == "range" else None
            if last is not None and not isinstance(last, ast.Constant):
                yield last, "off-by-one", f"{self.text(last)} - 1"
                yield last, "off-by-one", f"{self.text(last)} + 1"
        if name == "reversed" and len(texts) == 1:
            yield node, "swapped-order", f"list({texts[0]})"
        if name == "sorted" and len(texts) == 1 and not node.keywords:
            yield node, "swapped-order", f"list({texts[0]})"
        copies = name in COPIES or (
            isinstance(node.func, ast.Attribute) and node.func.attr in COPIES
        )
        if copies and len(texts) == 1 and not isinstance(node.args[0], ast.GeneratorExp):
            yield node, "stale-state", f"({texts[0]})"
        if isinstance(node.func, ast.Attribute) and node.func.attr == "copy" and not texts:
            yield node, "stale-state", self.text(node.func.value)
        if name not in ("min", "max", "isinstance", "print"):
            for (one, other), (a, b) in zip(pairwise(node.args), pairwise(texts), strict=True):
                if a != b and not isinstance(one, ast.Starred) and "*" not in b[:1]:
                    yield from self._exchange(node, one, other)
        for keyword in node.keywords:
            if keyword.arg in ("key", "reverse", "default", "last"):
                yield node, "wrong-key", self._without_keyword(node, keyword)
        if isinstance(node.func, ast.Attribute) and node.func.attr in BY_KEY and node.args:
            yield from self._other_name(node.args[0], names)

    def _exchange(self, whole, one, other):
        """Swap two parts of an expression."""
        start, end = self.span(whole)
        (a, b), (c, d) = self.span(one), self.span(other)
        text = self.source
        swapped = text[start:a] + text[c:d] + text[b:c] + text[a:b] + text[d:end]
        yield whole, "swapped-order", swapped

    def _without_keyword(self, node, keyword):
        kept = [k for k in node.keywords if k is not keyword]
        return ast.unparse(ast.Call(node.func, node.args, kept))

    def _subscript(self, node, names):
        if isinstance(node.slice, ast.Slice):
            for bound in (node.slice.lower, node.slice.upper):
                if bound is not None and not isinstance(bound, ast.Constant):
                    yield bound, "off-by-one", f"{self.text(bound)} + 1"
                    yield bound, "off-by-one", f"{self.text(bound)} - 1"
            if node.slice.lower is None and node.slice.upper is None and node.slice.step is None:
                yield node, "stale-state", self.text(node.value)
        elif isinstance(node.slice, ast.Tuple):
            for part in node.slice.elts:
                yield from self._other_name(part, names)
        else:
            yield from self._other_name(node.slice, names)
            if ast.unparse(node.slice) in self.numbers:
                yield node.slice, "off-by-one", f"{self.text(node.slice)} - 1"

    def _other_name(self, node, names):
        """Take another variable of the same function for a key."""
        if isinstance(node, ast.Name) and node.id in names:
            place = names.index(node.id)
            for step in (1, -1):
                other = names[(place + step) % len(names)]
                if other != node.id:
                    yield node, "wrong-key", other

    def _attribute(self, node, names):
        if not isinstance(node.value, ast.Name):
            return
        for called in (False, True):
            siblings = self.attributes.get((node.value.id, called), [])
            if node.attr in siblings and len(siblings) > 1:
                place = siblings.index(node.attr)
                for step in (1, -1):
                    other = siblings[(place + step) % len(siblings)]
                    if other != node.attr:
                        yield node, "wrong-key", f"{node.value.id}.{other}"

    def _dict(self, node, names):
        for key in node.keys:
            if key is not None:
                yield from self._other_name(key, names)

    def _compare(self, node, names):
        if len(node.ops) != 1:
            return
        left, right = self.text(node.left), self.text(node.comparators[0])
        for other in BOUNDS.get(type(node.ops[0]), ()):
            yield node, "wrong-bound", f"{left} {other} {right}"
        if isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE) and "\n" not in right:
            yield node.comparators[0], "off-by-one", f"{right} + 1"
            yield node.comparators[0], "off-by-one", f"{right} - 1"
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            yield from self._other_name(node.left, names)

    def _bool_op(self, node, names):
        joint = " or " if isinstance(node.op, ast.And) else " and "
        texts = [self.text(value) for value in node.values]
        yield node, "wrong-bound", f"({joint.join(texts)})"
        same = " and " if isinstance(node.op, ast.And) else " or "
        for place in range(len(texts)):
            yield node, "wrong-bound", f"({same.join(texts[:place] + texts[place + 1 :])})"

    def _unary(self, node, names):
        if isinstance(node.op, ast.Not | ast.USub) and not isinstance(node.operand, ast.Constant):
            yield node, "wrong-bound", f"({self.text(node.operand)})"

    def _bin_op(self, node, names):
        left, right = node.left, node.right
        if type(node.op) in NOT_COMMUTATIVE and not isinstance(left, ast.JoinedStr):
            swapped = ast.BinOp(right, node.op, left)
            yield node, "swapped-order", f"({ast.unparse(swapped)})"
        is_list = any(
            isinstance(side, ast.List | ast.Tuple | ast.ListComp) for side in (left, right)
        )
        if isinstance(node.op, ast.Add) and is_list:
            yield node, "swapped-order", f"({self.text(right)} + {self.text(left)})"
        elif type(node.op) in OTHER_OPERATOR:
            (_, a), (b, _) = self.span(left), self.span(right)
            between = self.source[a:b]
            sign = ast.unparse(ast.BinOp(ast.Name("a"), node.op, ast.Name("b")))[2:-2]
            if between.strip() == sign:
                other = OTHER_OPERATOR[type(node.op)]
                yield node, "wrong-bound", f"({self.text(left)} {other} {self.text(right)})"

    def _tuple(self, node, names):
        kind = "wrong-key" if isinstance(node.ctx, ast.Load) else "swapped-order"
        for one, other in pairwise(node.elts):
            starred = isinstance(one, ast.Starred) or isinstance(other, ast.Starred)
            if not starred and self.text(one) != self.text(other):
                for where, _, text in self._exchange(node, one, other):
                    yield where, "swapped-order", text
        if kind == "swapped-order" and len(node.elts) > 1:
            for part in node.elts:
                if isinstance(part, ast.Attribute | ast.Subscript):
                    yield part, "forgotten-update", "_"

    def _list(self, node, names):
        if not isinstance(node.ctx, ast.Load):
            return
        if len(node.elts) == 1 and isinstance(node.elts[0], ast.Starred):
            yield node, "stale-state", self.text(node.elts[0].value)
        for one, other in pairwise(node.elts):
            if self.text(one) != self.text(other):
                yield from self._exchange(node, one, other)

    def _lambda(self, node, names):
        if isinstance(node.body, ast.Tuple) and len(node.body.elts) > 1:
            yield node.body, "wrong-key", self.text(node.body.elts[0])
            yield node.body, "wrong-key", self.text(node.body.elts[-1])
        elif not isinstance(node.body, ast.Constant | ast.Compare | ast.Name):
            yield node.body, "wrong-key", f"-({self.text(node.body)})"

    def _condition(self, node, names):
        test = node.test
        if isinstance(test, ast.Constant):
            return
        text = self.text(test)
        simple = isinstance(test, ast.Name | ast.Attribute | ast.Call)
        if simple:
            yield test, "wrong-bound", f"not {text}"
        if isinstance(node, ast.If) and not simple:
            yield test, "wrong-bound", "True"
            yield test, "wrong-bound", "False"

    # Statements

    def _statements(self, body: list[ast.stmt], owner: ast.AST) -> Iterator[Edit]:
        in_init = isinstance(owner, ast.FunctionDef) and owner.name == "__init__"
        for place, node in enumerate(body):
            if isinstance(node, SIMPLE) and not _is_text(node) and not in_init:
                if not _binds_first(node, owner, self.tree):
                    yield self._replace(node, "forgotten-update", "pass")
                yield from self._moved(body, place, owner)
            if isinstance(node, ast.AugAssign):
                text = f"{self.text(node.target)} = {self.text(node.value)}"
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
                yield from self._swapped(node, body[place + 1], owner)
        if isinstance(owner, ast.FunctionDef) and not in_init:
            yield from self._early_return(body)

    def _replace(self, node: ast.stmt, kind: str, text: str) -> Edit:
        start, end = self.span(node)
        return Edit(kind, node.lineno, start, end, text)

    def _whole_lines(self, node: ast.stmt) -> tuple[int, int]:
        return self.offsets[node.lineno - 1], self.offsets[node.end_lineno]

    def _own_lines(self, node: ast.stmt) -> bool:
        """Whether nothing else stands on its lines."""
        before = self.lines[node.lineno - 1].encode()[: node.col_offset].decode()
        after = self.lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode().strip()
        return not before.strip() and (not after or after.startswith("#"))

    def _swapped(self, one: ast.stmt, other: ast.stmt, owner: ast.AST) -> Iterator[Edit]:
        usual = (*SIMPLE, *LOOPS, ast.If)
        if not (isinstance(one, usual) and isinstance(other, usual)):
            return
        if _is_text(one) or not (self._own_lines(one) and self._own_lines(other)):
            return
        if _independent(one, other) or _binds_for(one, other, owner):
            return
        (a, b), (c, d) = self._whole_lines(one), self._whole_lines(other)
        text = self.source
        tail = "" if text[c:d].endswith("\n") else "\n"
        yield Edit("swapped-order", one.lineno, a, d, text[c:d] + tail + text[b:c] + text[a:b])

    def _moved(self, body: list[ast.stmt], place: int, owner: ast.AST) -> Iterator[Edit]:
        """Update too late (at the end of the block), or once before the loop."""
        node = body[place]
        if not self._own_lines(node):
            return
        start, end = self._whole_lines(node)
        last = body[-1]
        late = len(body) - place > 2 and not isinstance(last, ast.Return) and self._own_lines(last)
        if late and not _binds_for(node, body[place + 1], owner):
            stop = self._whole_lines(last)[1]
            if self.source[start:stop].endswith("\n"):
                moved = self.source[end:stop] + self.source[start:end]
                yield Edit("stale-state", node.lineno, start, stop, moved)
        if isinstance(owner, LOOPS) and isinstance(node, ast.Assign) and self._own_lines(owner):
            drawn = _stored(owner.target) if isinstance(owner, ast.For) else set()
            if len(body) > 1 and not drawn & _loaded(node):
                begin, stop = self._whole_lines(owner)
                indent = " " * owner.col_offset
                hoisted = indent + self.source[start:end].lstrip()
                rest = self.source[begin:start] + self.source[end:stop]
                yield Edit("stale-state", node.lineno, begin, stop, hoisted + rest)

    def _loop(self, node: ast.For | ast.While) -> Iterator[Edit]:
        last = node.body[-1]
        if self._own_lines(last) and not isinstance(last, ast.Return | ast.Break | ast.Continue):
            stop = self._whole_lines(last)[1]
            line = " " * node.body[0].col_offset + "break\n"
            yield Edit("stale-state", last.lineno, stop, stop, line)
        if isinstance(node, ast.While) and not isinstance(node.test, ast.Constant):
            start = self.span(node)[0]
            if not any(isinstance(child, ast.Break | ast.Continue) for child in ast.walk(node)):
                yield Edit("stale-state", node.lineno, start, start + len("while"), "if")

    def _early_return(self, body: list[ast.stmt]) -> Iterator[Edit]:
        """Return before the last update."""
        for node in body[1:]:
            update = isinstance(node, SIMPLE) and not _is_text(node)
            if update and self._own_lines(node) and not isinstance(body[-1], ast.Return):
                start = self.offsets[node.lineno - 1]
                line = " " * node.col_offset + "return\n"
                yield Edit("stale-state", node.lineno, start, start, line)


def _is_word(node: ast.AST) -> bool:
    """Whether it is a text that code compares, such as a name of a phase."""
    value = getattr(node, "value", None)
    return isinstance(node, ast.Constant) and type(value) is str and bool(WORD.fullmatch(value))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _defaults(node: ast.AST) -> bool:
    return bool(getattr(node, "defaults", None) or getattr(node, "kw_defaults", None))


def _names_of(scope: ast.AST) -> list[str]:
    """List the variables of a function, arguments included."""
    if not isinstance(scope, ast.FunctionDef):
        return []
    arguments = [arg.arg for arg in ast.walk(scope) if isinstance(arg, ast.arg)]
    return sorted({*arguments, *_stored(scope)} - {"self", "_"})


def _stored(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store}


def _loaded(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and type(n.ctx) is ast.Load}


def _written(node: ast.AST) -> set[str]:
    """The texts of all that a statement stores or deletes."""
    return {
        ast.unparse(n)
        for n in ast.walk(node)
        if type(getattr(n, "ctx", None)) in (ast.Store, ast.Del) and not isinstance(n, ast.Tuple)
    }


def _independent(one: ast.stmt, other: ast.stmt) -> bool:
    """Whether two statements surely do the same in either order."""
    if any(isinstance(n, ast.Call) for node in (one, other) for n in ast.walk(node)):
        pure = isinstance(one, ast.Assign) and isinstance(other, ast.Assign)
        if not pure:
            return False
    texts = [{ast.unparse(n) for n in ast.walk(node) if hasattr(n, "ctx")} for node in (one, other)]
    return not (_written(one) & texts[1] or _written(other) & texts[0])


def _binds_for(one: ast.stmt, other: ast.stmt, owner: ast.AST) -> bool:
    """Whether the first binds a variable that the second needs: swapped, it would only raise."""
    if not isinstance(one, ast.Assign):
        return False
    return bool(_stored(one) & _loaded(other))


def _binds_first(node: ast.stmt, owner: ast.AST, tree: ast.Module) -> bool:
    """Whether it is the only place that binds a variable: without it, all else would raise."""
    if not isinstance(node, ast.Assign):
        return False
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef) and any(child is node for child in ast.walk(scope)):
            names = _stored(node)
            arguments = {arg.arg for arg in ast.walk(scope) if isinstance(arg, ast.arg)}
            others = [
                name
                for child in ast.walk(scope)
                if isinstance(child, ast.stmt) and child is not scope and child is not node
                if not any(inner is node for inner in ast.walk(child))
                for name in _stored(child)
            ]
            return bool(names - arguments - set(others))
    return False
