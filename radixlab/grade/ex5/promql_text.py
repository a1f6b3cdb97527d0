"""Reads the subset of PromQL that alert rules may use here: text in, a checked expression out.

Selectors with label matchers, ranges such as `[5m]`, the functions below, aggregation with `by` or
`without`, arithmetic, comparison, `and`, `or` and `unless` with `on` or `ignoring`. What Prometheus
knows beyond that is refused by name. `promql` evaluates expressions.
"""

import re
from dataclasses import dataclass
from typing import Literal

MAX_TEXT, MAX_DEPTH = 2_000, 40
Kind = Literal["scalar", "vector", "range"]


class RuleError(ValueError):
    """A rule that cannot be read or evaluated; the message says which part of it."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Selector:
    """The newest sample of every series that matches, or all in a range."""

    matchers: tuple[tuple[str, str, str], ...]
    """Label, operator, value; the metric's name is the label `__name__`."""
    range_s: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a vector or of a range."""

    function: str
    arguments: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value for each group of series."""

    function: str
    argument: "Expression"
    labels: tuple[str, ...] = ()
    without: bool = False


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two expressions."""

    operator: str
    left: "Expression"
    right: "Expression"
    is_bool: bool = False
    labels: tuple[str, ...] | None = None
    """Of `on` or `ignoring`; None where neither is written."""
    is_on: bool = False


Expression = Number | Selector | Call | Aggregate | Binary

OVER_RANGES = (
    *("rate", "increase", "delta", "resets", "changes", "avg_over_time", "min_over_time"),
    *("max_over_time", "sum_over_time", "count_over_time", "last_over_time"),
)
OVER_VECTORS = {"abs": 0, "ceil": 0, "floor": 0, "clamp_min": 1, "clamp_max": 1}
"""Functions by the number of their arguments beside the vector."""
AGGREGATES = ("sum", "avg", "min", "max", "count")
COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
SETS = ("and", "or", "unless")
_LEVELS = (("or",), ("and", "unless"), COMPARISONS, ("+", "-"), ("*", "/", "%"), ("^",))

_TOKEN = re.compile(
    r"(?P<space>(?:\s|#[^\n]*)+)"
    r"|(?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![\w.]))"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))"
    r"|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')"
    r"|(?P<sign>=~|!~|==|!=|>=|<=|[-+*/%^=<>(){}\[\],@])"
)
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_PLAIN_PATTERN = re.compile(r"[\w|.*+ :-]*")
"""Words with `|`, `.*` and `.+`: enough for labels, and no text makes such a pattern slow."""


def seconds(text: str) -> float:
    """Read a duration.

    >>> seconds("5m"), seconds("1h30m")
    (300.0, 5400.0)
    """
    if not re.fullmatch(rf"(?:{_PART.pattern})+", text) or len(text) > 20:
        raise RuleError(f"{text[:30]!r} is not a duration such as 30s, 5m or 1h")
    return float(sum(int(num) * _SECONDS[unit] for num, unit in _PART.findall(text)))


def parse(text: str) -> Expression:
    """Read an expression.

    >>> parse("up == 0").operator
    '=='
    >>> parse("rate(up)")
    Traceback (most recent call last):
    radixlab.grade.ex5.promql_text.RuleError: rate() takes a range such as x[5m]
    """
    reader = _Reader(text)
    found = reader.binary(0)
    if reader.kind is not None:
        raise RuleError(f"{reader.word!r} was not expected there")
    if _kind_of(found) == "range":
        raise RuleError("a range such as x[5m] stands inside a function, such as rate")
    return found


def _kind_of(expression: Expression) -> Kind:
    match expression:
        case Number():
            return "scalar"
        case Selector(range_s=range_s):
            return "vector" if range_s is None else "range"
        case Binary(left=left, right=right):
            both = (_kind_of(left), _kind_of(right))
            return "scalar" if both == ("scalar", "scalar") else "vector"
    return "vector"


class _Reader:
    """Goes through the words of a text; `word` is the next one, and `kind` is None at the end."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_TEXT:
            raise RuleError(f"an expression has at most {MAX_TEXT:,} characters")
        self._words = iter([*_words(text), (None, "")])
        self.kind, self.word = next(self._words)
        self._depth = 0

    def _step(self) -> str:
        word = self.word
        self.kind, self.word = next(self._words, (None, ""))
        return word

    def _takes(self, word: str) -> bool:
        if self.kind in ("sign", "name") and self.word == word:
            self._step()
            return True
        return False

    def _must(self, word: str) -> None:
        if not self._takes(word):
            raise RuleError(f"{word!r} is missing before {self.word or 'the end'!r}")

    def binary(self, level: int) -> Expression:
        """Read operators of this level and of those that bind more tightly."""
        if level == len(_LEVELS):
            return self._unary()
        left = self.binary(level + 1)
        while self.word in _LEVELS[level] and self.kind in ("sign", "name"):
            operator = self._step()
            is_bool = operator in COMPARISONS and self._takes("bool")
            labels, is_on = self._matching()
            right = self._deeper(level if operator == "^" else level + 1)
            left = Binary(operator, left, right, is_bool, labels, is_on)
            _check(left)
        return left

    def _deeper(self, level: int) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise RuleError(f"an expression is at most {MAX_DEPTH} levels deep")
        found = self.binary(level)
        self._depth -= 1
        return found

    def _matching(self) -> tuple[tuple[str, ...] | None, bool]:
        for word in ("on", "ignoring"):
            if self._takes(word):
                labels = self._labels()
                if self.word in ("group_left", "group_right"):
                    raise RuleError(f"{self.word} is not in the subset of this exercise")
                return labels, word == "on"
        return None, False

    def _labels(self) -> tuple[str, ...]:
        labels = list[str]()
        self._must("(")
        while not self._takes(")"):
            if self.kind != "name":
                raise RuleError(f"{self.word!r} is not a label")
            labels.append(self._step())
            if not self._takes(","):
                self._must(")")
                break
        return tuple(labels)

    def _unary(self) -> Expression:
        if self._takes("-"):
            found = self._deeper(len(_LEVELS) - 1)
            if isinstance(found, Number):
                return Number(-found.value)
            negated = Binary("*", Number(-1.0), found)
            _check(negated)
            return negated
        if self._takes("+"):
            return self._deeper(len(_LEVELS) - 1)
        return self._ranged(self._primary())

    def _primary(self) -> Expression:
        if self._takes("("):
            found = self._deeper(0)
            self._must(")")
            return found
        if self.kind == "number":
            return Number(float(self._step()))
        if self.kind == "name" and self.word.lower() in ("inf", "nan"):
            return Number(float(self._step()))
        if self.kind == "name":
            return self._named(self._step())
        if self.word == "{":
            return Selector(self._matchers())
        raise RuleError(f"a metric is missing before {self.word or 'the end'!r}")

    def _named(self, name: str) -> Expression:
        if name in AGGREGATES and self.word in ("(", "by", "without"):
            return self._aggregate(name)
        if self.word != "(":
            here = self._matchers() if self.word == "{" else ()
            return Selector((("__name__", "=", name), *here))
        if name not in OVER_RANGES and name not in OVER_VECTORS:
            raise RuleError(f"{name}() is not in the subset of this exercise")
        self._must("(")
        arguments = [self._deeper(0)]
        while self._takes(","):
            arguments.append(self._deeper(0))
        self._must(")")
        call = Call(name, tuple(arguments))
        _check_call(call)
        return call

    def _aggregate(self, name: str) -> Expression:
        labels, without = self._grouping()
        self._must("(")
        found = self._deeper(0)
        self._must(")")
        if labels is None:
            labels, without = self._grouping()
        if _kind_of(found) != "vector":
            raise RuleError(f"{name}() takes a vector, such as a metric or rate(x[5m])")
        return Aggregate(name, found, labels or (), without)

    def _grouping(self) -> tuple[tuple[str, ...] | None, bool]:
        for word in ("by", "without"):
            if self._takes(word):
                return self._labels(), word == "without"
        return None, False

    def _matchers(self) -> tuple[tuple[str, str, str], ...]:
        found = list[tuple[str, str, str]]()
        self._must("{")
        while not self._takes("}"):
            label, operator, value = self._step(), self._step(), self.word
            if operator not in ("=", "!=", "=~", "!~") or self.kind != "text":
                raise RuleError(f'{label[:40]!r} is not followed by ="…", !="…", =~"…" or !~"…"')
            self._step()
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
            if "~" in operator and not _PLAIN_PATTERN.fullmatch(value):
                raise RuleError(f"{value[:40]!r}: a pattern may have words, |, .* and .+")
            found.append((label, operator, value))
            if not self._takes(","):
                self._must("}")
                break
        return tuple(found)

    def _ranged(self, found: Expression) -> Expression:
        if self._takes("["):
            if not isinstance(found, Selector) or self.kind != "duration":
                raise RuleError("[…] holds a duration, and stands behind a metric")
            found = Selector(found.matchers, seconds(self._step()))
            self._must("]")
        if self.word in ("offset", "@", "["):
            raise RuleError(f"{self.word!r} is not in the subset of this exercise")
        return found


def _words(text: str) -> "list[tuple[str | None, str]]":
    words, at = list[tuple[str | None, str]](), 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise RuleError(f"{text[at : at + 20]!r} cannot be read")
        if found.lastgroup != "space":
            words.append((found.lastgroup, found[0]))
        at = found.end()
    return words


def _check(binary: Binary) -> None:
    kinds = (_kind_of(binary.left), _kind_of(binary.right))
    if "range" in kinds:
        raise RuleError("a range such as x[5m] stands inside a function, such as rate")
    if binary.operator in SETS and "scalar" in kinds:
        raise RuleError(f"{binary.operator!r} stands between vectors, not numbers")
    if binary.labels is not None and "scalar" in kinds:
        raise RuleError("on() and ignoring() stand between vectors")
    if binary.operator in COMPARISONS and kinds == ("scalar", "scalar") and not binary.is_bool:
        raise RuleError("a comparison of two numbers needs bool")


def _check_call(call: Call) -> None:
    kinds = [_kind_of(argument) for argument in call.arguments]
    if call.function in OVER_RANGES:
        if kinds != ["range"]:
            raise RuleError(f"{call.function}() takes a range such as x[5m]")
    elif kinds != ["vector"] + ["scalar"] * OVER_VECTORS[call.function]:
        numbers = " and a number" if OVER_VECTORS[call.function] else ""
        raise RuleError(f"{call.function}() takes a vector{numbers}")
