"""Evaluates the subset of PromQL on scripted series, as Prometheus does.

Tests compare it with `promtool` where that is installed; grading never needs it. A series that is
missing from a scrape is stale from then on.
"""

import operator
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from math import ceil, floor, fmod, inf, nan

from radixlab.exercise.metrics import samples
from radixlab.grade.ex5.promql_text import (
    COMPARISONS,
    SETS,
    Aggregate,
    Binary,
    Call,
    Expression,
    Number,
    RuleError,
    Selector,
)

Labels = tuple[tuple[str, str], ...]
"""Sorted; the metric's name is the label `__name__`."""
Vector = dict[Labels, float]
LOOK_BACK_S = 300.0
_NAME = "__name__"


class Series:
    """All samples of some scrapes, by series."""

    def __init__(self, times: Sequence[float], texts: Iterable[str]) -> None:
        self.samples: dict[Labels, tuple[list[float], list[float | None]]] = {}
        """Times and values; None where the series has become stale."""
        alive = set[Labels]()
        for time, text in zip(times, texts, strict=True):
            now = dict[Labels, float | None]()
            for name, labels, value in samples(text):
                now[tuple(sorted([*labels.items(), (_NAME, name)]))] = value
            now.update(dict.fromkeys(alive - now.keys()))
            for key, found in now.items():
                there, values = self.samples.setdefault(key, ([], []))
                there.append(time)
                values.append(found)
            alive = {key for key, found in now.items() if found is not None}

    def select(self, selector: Selector) -> list[Labels]:
        """Return the series that match."""
        return [key for key in self.samples if _matches(selector, dict(key))]


def _matches(selector: Selector, labels: dict[str, str]) -> bool:
    for label, how, value in selector.matchers:
        found = labels.get(label, "")
        same = re.fullmatch(value, found) is not None if "~" in how else found == value
        if same == how.startswith("!"):
            return False
    return True


def evaluate(expression: Expression, series: Series, at: float) -> Vector:
    """Return the value of an expression at a time; a number is a vector without labels."""
    found = _value(expression, series, at)
    return {(): found} if isinstance(found, float) else found


def _value(expression: Expression, series: Series, at: float) -> Vector | float:
    match expression:
        case Number(value):
            return value
        case Selector():
            return _newest(expression, series, at)
        case Call():
            return _called(expression, series, at)
        case Aggregate():
            return _aggregated(expression, series, at)
    left = _value(expression.left, series, at)
    right = _value(expression.right, series, at)
    if isinstance(left, float) and isinstance(right, float):
        return _result(expression, left, right)
    if isinstance(left, float) or isinstance(right, float):
        return _with_number(expression, left, right)
    join = _sets if expression.operator in SETS else _paired
    return join(expression, left, right)


def _newest(selector: Selector, series: Series, at: float) -> Vector:
    found: Vector = {}
    for key in series.select(selector):
        times, values = series.samples[key]
        last = bisect_right(times, at) - 1
        if last >= 0 and times[last] > at - LOOK_BACK_S:
            value = values[last]
            if value is not None:
                found[key] = value
    return found


# ---- functions


def _called(call: Call, series: Series, at: float) -> Vector:
    first = call.arguments[0]
    if isinstance(first, Selector) and first.range_s is not None:
        found: Vector = {}
        for key in series.select(first):
            times, values = _within(series.samples[key], at - first.range_s, at)
            value = _OVER[call.function](times, values, at, first.range_s) if values else None
            if value is not None:
                _put(found, key if call.function == "last_over_time" else _nameless(key), value)
        return found
    vector = _value(first, series, at)
    numbers = [_value(argument, series, at) for argument in call.arguments[1:]]
    assert isinstance(vector, dict)
    changed: Vector = {}
    for key, value in vector.items():
        _put(changed, _nameless(key), float(_OF_VALUES[call.function](value, *numbers)))
    return changed


def _within(
    one: tuple[list[float], list[float | None]], start: float, end: float
) -> tuple[list[float], list[float]]:
    times, values = one
    there = range(bisect_left(times, start), bisect_right(times, end))
    pairs = [(times[n], value) for n in there if (value := values[n]) is not None]
    return [time for time, _ in pairs], [value for _, value in pairs]


def _extrapolated(
    times: list[float],
    values: list[float],
    at: float,
    range_s: float,
    is_counter: bool = True,
    per_s: float = 1.0,
) -> float | None:
    """Return the increase over a range, as Prometheus extends it to the ends of the range.

    It is divided by `per_s`, in the same order of operations: then every digit agrees.
    """
    if len(values) < 2:
        return None
    increase = values[-1] - values[0]
    if is_counter:
        increase += sum(a for a, b in pairwise(values) if b < a)
    sampled = times[-1] - times[0]
    between = sampled / (len(values) - 1)
    to_start, to_end = times[0] - (at - range_s), at - times[-1]
    if is_counter and increase > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * (values[0] / increase))  # it was never below 0
    extended = sampled
    for gap in (to_start, to_end):
        extended += gap if gap < 1.1 * between else between / 2
    return increase * (extended / sampled / per_s)


def _rate(times: list[float], values: list[float], at: float, range_s: float) -> float | None:
    return _extrapolated(times, values, at, range_s, per_s=range_s)


def _delta(times: list[float], values: list[float], at: float, range_s: float) -> float | None:
    return _extrapolated(times, values, at, range_s, is_counter=False)


def _over(count: Callable[[list[float]], float]) -> Callable[..., float | None]:
    return lambda times, values, at, range_s: float(count(values))


_OVER: dict[str, Callable[..., float | None]] = {
    "rate": _rate,
    "increase": _extrapolated,
    "delta": _delta,
    "resets": _over(lambda v: sum(b < a for a, b in pairwise(v))),
    "changes": _over(lambda v: sum(b != a for a, b in pairwise(v))),
    "avg_over_time": _over(lambda v: sum(v) / len(v)),
    "min_over_time": _over(min),
    "max_over_time": _over(max),
    "sum_over_time": _over(sum),
    "count_over_time": _over(len),
    "last_over_time": _over(lambda v: v[-1]),
}
_OF_VALUES: dict[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": lambda value: ceil(value) if abs(value) < inf else value,
    "floor": lambda value: floor(value) if abs(value) < inf else value,
    "clamp_min": lambda value, least: value if value != value else max(value, least),
    "clamp_max": lambda value, most: value if value != value else min(value, most),
}


# ---- groups and operators


def _aggregated(one: Aggregate, series: Series, at: float) -> Vector:
    vector = _value(one.argument, series, at)
    assert isinstance(vector, dict)
    groups: dict[Labels, list[float]] = {}
    for key, value in vector.items():
        groups.setdefault(_chosen(key, one.labels, not one.without), []).append(value)
    count: dict[str, Callable[[list[float]], float]] = {
        "sum": sum, "avg": lambda v: sum(v) / len(v), "min": min, "max": max, "count": len,
    }  # fmt: skip
    return {key: float(count[one.function](values)) for key, values in groups.items()}


def _chosen(key: Labels, labels: tuple[str, ...], keep: bool) -> Labels:
    """Return only these labels, or all but these and the name."""
    if keep:
        return tuple(pair for pair in key if pair[0] in labels)
    return tuple(pair for pair in key if pair[0] not in labels and pair[0] != _NAME)


def _nameless(key: Labels) -> Labels:
    return _chosen(key, (), keep=False)


def _put(vector: Vector, key: Labels, value: float) -> None:
    if key in vector:
        raise RuleError(f"two series have the same labels, {_written(key)}, without their names")
    vector[key] = value


def _written(key: Labels) -> str:
    return "{" + ", ".join(f"{label}={value!r}" for label, value in key)[:80] + "}"


def _with_number(one: Binary, left: Vector | float, right: Vector | float) -> Vector:
    vector = left if isinstance(left, dict) else right
    assert isinstance(vector, dict)
    found: Vector = {}
    is_filter = one.operator in COMPARISONS and not one.is_bool
    for key, value in vector.items():
        a = left if isinstance(left, float) else value
        b = right if isinstance(right, float) else value
        result = _result(one, a, b)
        if is_filter and result:
            found[key] = value
        elif not is_filter:
            _put(found, _nameless(key), result)
    return found


def _signature(one: Binary, key: Labels) -> Labels:
    return _chosen(key, one.labels or (), keep=one.is_on)


def _sets(one: Binary, left: Vector, right: Vector) -> Vector:
    there = {_signature(one, key) for key in right}
    if one.operator == "or":
        mine = {_signature(one, key) for key in left}
        return left | {k: v for k, v in right.items() if _signature(one, k) not in mine}
    wanted = one.operator == "and"
    return {k: v for k, v in left.items() if (_signature(one, k) in there) == wanted}


def _paired(one: Binary, left: Vector, right: Vector) -> Vector:
    others: dict[Labels, float] = {}
    for key, value in right.items():
        if (pair := _signature(one, key)) in others:
            raise RuleError(f"several series on the right of {one.operator} match {_written(pair)}")
        others[pair] = value
    is_filter = one.operator in COMPARISONS and not one.is_bool
    found, seen = Vector(), set[Labels]()
    for key, value in left.items():
        pair = _signature(one, key)
        if pair not in others:
            continue
        if pair in seen:
            raise RuleError(f"several series on the left of {one.operator} match {_written(pair)}")
        seen.add(pair)
        result = _result(one, value, others[pair])
        kept = key if is_filter else _nameless(key)
        if one.is_on:
            kept = pair
        elif one.labels:
            kept = tuple(label for label in kept if label[0] not in one.labels)
        if not is_filter or result:
            _put(found, kept, value if is_filter else result)
    return found


def _divided(a: float, b: float) -> float:
    if b:
        return a / b
    return nan if a == 0 or a != a else inf if (a > 0) == (str(b)[0] != "-") else -inf


def _power(a: float, b: float) -> float:
    try:
        found = a**b
    except ZeroDivisionError:
        return inf
    except OverflowError:
        return inf if a > 0 or b % 2 == 0 else -inf
    return nan if isinstance(found, complex) else found


def _remainder(a: float, b: float) -> float:
    return fmod(a, b) if b and abs(a) < inf else nan


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": _divided, "%": _remainder, "^": _power,
    "==": operator.eq, "!=": operator.ne, ">": operator.gt,
    "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip


def _result(one: Binary, left: float, right: float) -> float:
    return float(_ARITHMETIC[one.operator](left, right))
