"""Edits of expressions: wrong constants, keys, bounds, operators, and parts that changed places."""

import ast
from collections.abc import Iterator
from itertools import pairwise

from tests.grade.mutation.bindings import is_word, names_of
from tests.grade.mutation.source import Source

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


class Expressions:
    """What one source reads, calls and compares, and how each of these could be wrong."""

    def __init__(self, code: Source) -> None:
        self.code = code
        nodes = list(code.worth_changing(code.tree))
        self.attributes = self._attributes(nodes)
        self.words = sorted({node.value for node in nodes if is_word(node)})
        self.numbers = {text for node in nodes for text in self._counted(node)}

    def edits(self) -> Iterator[tuple[str, int, int, int, str]]:
        """Yield kind, line, start, end and text."""
        for scope in self.code.scopes():
            names = names_of(scope)
            begins = isinstance(scope, ast.FunctionDef) and scope.name == "__init__"
            for node in self.code.worth_changing(scope):
                for start, end, kind, text in self._expression(node, names):
                    if not (begins and kind == "forgotten-update"):  # all else would raise
                        yield kind, node.lineno, start, end, text

    def _attributes(self, nodes) -> dict[tuple[str, bool], list[str]]:
        """By what it is read of and whether it is called: the attributes that are seen there."""
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        found: dict[tuple[str, bool], set[str]] = {}
        for node in nodes:
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
            start, end = self.code.span(where)
            if text[0] == "(" and self.code.whole[start - 1] == "(" and self.code.whole[end] == ")":
                text = text[1:-1]
            yield start, end, kind, text

    def _constant(self, node, names):
        if type(node.value) is int:
            yield node, "off-by-one", str(node.value + 1)
            if node.value > 0:
                yield node, "off-by-one", str(node.value - 1)
        elif is_word(node) and node.value in self.words:
            place = self.words.index(node.value)
            for step in (1, 2):
                other = self.words[(place + step) % len(self.words)]
                if other != node.value:
                    yield node, "wrong-key", repr(other).replace("'", '"')

    def _call(self, node, names):
        name = node.func.id if isinstance(node.func, ast.Name) else None
        texts = [self.code.text(arg) for arg in node.args]
        if name in OTHER_CALL:
            yield node.func, "wrong-bound", OTHER_CALL[name]
        if name == "len":
            yield node, "off-by-one", f"({self.code.text(node)} - 1)"
            yield node, "off-by-one", f"({self.code.text(node)} + 1)"
        if name in ("range", "reversed", "enumerate") and node.args:
            last = node.args[-1] if name == "range" else None
            if last is not None and not isinstance(last, ast.Constant):
                yield last, "off-by-one", f"{self.code.text(last)} - 1"
                yield last, "off-by-one", f"{self.code.text(last)} + 1"
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
            yield node, "stale-state", self.code.text(node.func.value)
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
        start, end = self.code.span(whole)
        (a, b), (c, d) = self.code.span(one), self.code.span(other)
        text = self.code.whole
        swapped = text[start:a] + text[c:d] + text[b:c] + text[a:b] + text[d:end]
        yield whole, "swapped-order", swapped

    def _without_keyword(self, node, keyword):
        kept = [k for k in node.keywords if k is not keyword]
        return ast.unparse(ast.Call(node.func, node.args, kept))

    def _subscript(self, node, names):
        if isinstance(node.slice, ast.Slice):
            for bound in (node.slice.lower, node.slice.upper):
                if bound is not None and not isinstance(bound, ast.Constant):
                    yield bound, "off-by-one", f"{self.code.text(bound)} + 1"
                    yield bound, "off-by-one", f"{self.code.text(bound)} - 1"
            if node.slice.lower is None and node.slice.upper is None and node.slice.step is None:
                yield node, "stale-state", self.code.text(node.value)
        elif isinstance(node.slice, ast.Tuple):
            for part in node.slice.elts:
                yield from self._other_name(part, names)
        else:
            yield from self._other_name(node.slice, names)
            if ast.unparse(node.slice) in self.numbers:
                yield node.slice, "off-by-one", f"{self.code.text(node.slice)} - 1"

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
        left, right = self.code.text(node.left), self.code.text(node.comparators[0])
        for other in BOUNDS.get(type(node.ops[0]), ()):
            yield node, "wrong-bound", f"{left} {other} {right}"
        if isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE) and "\n" not in right:
            yield node.comparators[0], "off-by-one", f"{right} + 1"
            yield node.comparators[0], "off-by-one", f"{right} - 1"
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            yield from self._other_name(node.left, names)

    def _bool_op(self, node, names):
        joint = " or " if isinstance(node.op, ast.And) else " and "
        texts = [self.code.text(value) for value in node.values]
        yield node, "wrong-bound", f"({joint.join(texts)})"
        same = " and " if isinstance(node.op, ast.And) else " or "
        for place in range(len(texts)):
            yield node, "wrong-bound", f"({same.join(texts[:place] + texts[place + 1 :])})"

    def _unary(self, node, names):
        if isinstance(node.op, ast.Not | ast.USub) and not isinstance(node.operand, ast.Constant):
            yield node, "wrong-bound", f"({self.code.text(node.operand)})"

    def _bin_op(self, node, names):
        left, right = node.left, node.right
        if type(node.op) in NOT_COMMUTATIVE and not isinstance(left, ast.JoinedStr):
            swapped = ast.BinOp(right, node.op, left)
            yield node, "swapped-order", f"({ast.unparse(swapped)})"
        is_list = any(
            isinstance(side, ast.List | ast.Tuple | ast.ListComp) for side in (left, right)
        )
        if isinstance(node.op, ast.Add) and is_list:
            yield node, "swapped-order", f"({self.code.text(right)} + {self.code.text(left)})"
        elif type(node.op) in OTHER_OPERATOR:
            (_, end), (start, _) = self.code.span(left), self.code.span(right)
            between = self.code.whole[end:start]
            sign = ast.unparse(ast.BinOp(ast.Name("a"), node.op, ast.Name("b")))[2:-2]
            if between.strip() == sign:
                other = OTHER_OPERATOR[type(node.op)]
                yield (
                    node,
                    "wrong-bound",
                    f"({self.code.text(left)} {other} {self.code.text(right)})",
                )

    def _tuple(self, node, names):
        kind = "wrong-key" if isinstance(node.ctx, ast.Load) else "swapped-order"
        for one, other in pairwise(node.elts):
            starred = isinstance(one, ast.Starred) or isinstance(other, ast.Starred)
            if not starred and self.code.text(one) != self.code.text(other):
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
            yield node, "stale-state", self.code.text(node.elts[0].value)
        for one, other in pairwise(node.elts):
            if self.code.text(one) != self.code.text(other):
                yield from self._exchange(node, one, other)

    def _lambda(self, node, names):
        if isinstance(node.body, ast.Tuple) and len(node.body.elts) > 1:
            yield node.body, "wrong-key", self.code.text(node.body.elts[0])
            yield node.body, "wrong-key", self.code.text(node.body.elts[-1])
        elif not isinstance(node.body, ast.Constant | ast.Compare | ast.Name):
            yield node.body, "wrong-key", f"-({self.code.text(node.body)})"

    def _condition(self, node, names):
        test = node.test
        if isinstance(test, ast.Constant):
            return
        text = self.code.text(test)
        simple = isinstance(test, ast.Name | ast.Attribute | ast.Call)
        if simple:
            yield test, "wrong-bound", f"not {text}"
        if isinstance(node, ast.If) and not simple:
            yield test, "wrong-bound", "True"
            yield test, "wrong-bound", "False"
