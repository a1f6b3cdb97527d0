"""No answer surprises a reader, no value a gate: each is checked, or refused in one line."""

import json
import math
import tracemalloc
from collections import deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.exercise.plain import MAX_BITS, MAX_TEXT, plain_number, plain_numbers, plain_text
from radixlab.grade.box.peer import _described
from radixlab.grade.gates import ramp, slope
from radixlab.grade.items import Failed
from radixlab.grade.reading import MAX_SHOWN, as_finite, finite, rows, shown, whole, wholes

# What the wire can bring: plain data of exact types, as odd as can be.
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**4000, -(10**4000), 2**63, -(2**63) - 1])
    | st.floats()
    | st.text()
    | st.binary()
    | st.sampled_from(["\x1b[2J", "\u202e", "\ud800", "a\n" * 500, "x" * 10_000]),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=12,
)
BOUNDS = st.none() | st.integers(-10, 10)


def told(read, *args):
    """What a reader returns, or one short line that says why it refuses; nothing else."""
    try:
        return read("the thing", *args), None
    except Failed as error:
        text = str(error)
        assert "the thing" in text and text.isprintable() and len(text) <= MAX_SHOWN + 120
        return None, text


@given(plain, BOUNDS, BOUNDS)
def test_a_whole_number_is_one_within_bounds_or_refused(value, least, most):
    number, refused = told(whole, value, least, most)
    good = type(value) is int and not (least is not None and value < least)
    good = good and not (most is not None and value > most)
    assert (refused is None) == good
    assert not good or (type(number) is int and number == value)


@given(plain, BOUNDS, BOUNDS)
def test_a_finite_number_is_one_within_bounds_or_refused(value, least, most):
    number, refused = told(finite, value, least, most)
    if refused is None:
        assert type(number) is float and math.isfinite(number) and type(value) in (int, float)
        assert (least is None or number >= least) and (most is None or number <= most)
    else:
        kept = as_finite(value)
        outside = kept is not None and (
            (least is not None and kept < least) or (most is not None and kept > most)
        )
        assert kept is None or outside


@given(plain)
def test_a_list_is_one_of_bounded_length_or_refused(value):
    found, refused = told(rows, value, 3)
    assert (refused is None) == (type(value) is list and len(value) <= 3)
    assert refused is not None or found is value


@given(plain)
def test_a_list_of_whole_numbers_is_read_entry_by_entry(value):
    found, refused = told(wholes, value, 3, 0, 9)
    good = type(value) is list and len(value) <= 3
    good = good and all(type(entry) is int and 0 <= entry <= 9 for entry in value)
    assert (refused is None) == good
    assert not good or found == value


@given(plain)
def test_what_is_shown_is_one_short_printable_line(value):
    text = shown(value)
    assert type(text) is str and len(text) <= MAX_SHOWN and text.isprintable()
    text.encode("utf-8")


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        nested(100_000),
        [[0] * 1000] * 1000,
        {number: [number] * 100 for number in range(10_000)},
        ["x" * 1_000_000] * 80,
        b"\xff" * 10_000_000,
        1 << 10_000_000,
        {str(number): nested(50) for number in range(1000)},
    ],
    ids=["deep", "wide", "a dictionary", "long texts", "bytes", "digits", "both"],
)
def test_showing_a_large_value_builds_no_large_text(value):
    tracemalloc.start()
    try:
        assert len(shown(value)) <= MAX_SHOWN
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


# Gates


@given(
    st.floats() | st.integers() | st.sampled_from([10**400, -(10**400), True, False]),
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
)
def test_a_ramp_is_a_share_and_never_for_what_is_no_number(value, nothing_at, all_at):
    if abs(all_at - nothing_at) < 1e-6:
        return
    share = ramp(value, nothing_at, all_at)
    assert 0 <= share <= 1
    if not (abs(value) < 1e308):
        assert share == 0
    else:
        way = 1 if all_at > nothing_at else -1
        assert share == 1 or value * way < all_at * way
        assert share == 0 or value * way > nothing_at * way


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_ramp_rises_evenly(one, other):
    low, high = sorted((one, other))
    assert ramp(low, 0.2, 0.8) <= ramp(high, 0.2, 0.8)
    assert ramp(high, 0.2, 0.8) - ramp(low, 0.2, 0.8) <= (high - low) / 0.6 + 1e-9


@pytest.mark.parametrize(
    "odd",
    [math.nan, math.inf, -math.inf, 10**400, -(10**400)],
    ids=["NaN", "inf", "-inf", "large", "-large"],
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_cost_that_is_no_finite_number_is_the_steepest(odd, place):
    costs = [1.0, 1.0]
    costs[place] = odd
    assert slope((10, 100), tuple(costs)) == math.inf


@given(st.floats(-1, 1e9), st.floats(-1, 1e9))
def test_a_slope_is_finite_for_finite_costs_and_follows_the_larger(few, many):
    found = slope((10, 100), (few, many))
    assert math.isfinite(found)
    assert (found > 0) == (max(many, 1e-12) > max(few, 1e-12)) or math.isclose(found, 0)


# Beside the learner's code: whatever there is becomes plain data


class Int(int):
    def __index__(self):
        return 99

    def __int__(self):
        return 98

    def bit_length(self):
        return 1

    def __eq__(self, other):
        return True

    __hash__ = int.__hash__

    def __repr__(self):
        return "7"


class Float(float):
    def __float__(self):
        raise RuntimeError("no")

    def __repr__(self):
        return "x" * 10**6


class Text(str):
    def __repr__(self):
        return Text("y" * 1000)

    def __getitem__(self, key):
        return "z" * 10**6

    def split(self, *args):
        return ["w" * 10**6]

    def encode(self, *args):
        return b"v" * 10**6


class List(list):
    def __len__(self):
        return 3

    def __iter__(self):
        return iter([1, 2])


class Raises:
    def __init__(self, error):
        self.error = error

    def _raise(self, *args):
        raise self.error

    __repr__ = __index__ = __float__ = __iter__ = __len__ = __eq__ = __hash__ = __str__ = _raise


class Meta(type):
    @property
    def __name__(cls):
        raise RuntimeError("nameless")


class Nameless(metaclass=Meta):
    def __repr__(self):
        raise RuntimeError("speechless")


class Endless:
    def __iter__(self):
        number = 0
        while True:
            yield number
            number += 1


class Lies(Exception):
    def __str__(self):
        return Text("\ud800")


ODD = {
    "int": Int(5),
    "a large int": Int(1 << 5000),
    "float": Float(0.5),
    "text": Text("abc"),
    "list": List([1, 2, 3]),
    "raises ValueError": Raises(ValueError("no")),
    "raises TypeError": Raises(TypeError("no")),
    "raises RecursionError": Raises(RecursionError("no")),
    "nameless": Nameless(),
    "endless": Endless(),
    "an exception that lies": Lies(),
    "a lone surrogate": Exception("\ud800\udfff"),
    "control characters": Exception("\x1b[2J\u202e\0"),
    "a long text": "q" * 10**6,
    "many digits": 10**10_000,
    "NaN": math.nan,
    "infinity": -math.inf,
    "bool": True,
    "None": None,
    "bytes": b"\xff\xfe",
    "complex": 1j,
    "a type": int,
    "a fraction": Fraction(1, 3),
    "a decimal": Decimal("0.5"),
    "float32": np.float32(0.5),
    "int8": np.int8(-3),
    "uint64": np.uint64(2**64 - 1),
    "an array": np.arange(3),
    "an array of two dimensions": np.zeros((2, 2)),
    "a generator": (x for x in (1, "2", 3.0)),
    "a generator that raises": (1 // x for x in (1, 0)),
    "a generator with a wrong type": (len(x) for x in (1, 2)),
    "a deque": deque([1, 2]),
    "a set": {1},
    "a dictionary": {1: 2},
    "itself": [],
}
ODD["itself"].append(ODD["itself"])


RAISE = {
    "raises ValueError",
    "raises RecursionError",
    "a generator that raises",
    "a generator with a wrong type",
}


def exact(value):
    """Whether it is plain data through and through, of bounded size, and fit for the wire."""
    if type(value) is list:
        return len(value) <= 1001 and all(map(exact, value))
    if type(value) is str:
        return len(value) <= MAX_TEXT and value.encode("utf-8") is not None
    if type(value) is int:
        return value.bit_length() <= MAX_BITS
    return type(value) is float


@pytest.mark.parametrize("name", ODD)
def test_anything_becomes_plain_data(name):
    for found in (plain_number(ODD[name]), plain_text(ODD[name])):
        assert exact(found)
        json.dumps(found)


@pytest.mark.parametrize("name", sorted({*ODD} - RAISE))
def test_anything_becomes_a_list_or_text(name):
    found = plain_numbers(ODD[name], 1000)
    assert exact(found)
    json.dumps(found)


@pytest.mark.parametrize("name", sorted(RAISE))
def test_an_exception_on_the_way_through_a_list_is_the_learners_own(name):
    with pytest.raises((ValueError, TypeError, RecursionError, ZeroDivisionError)):
        plain_numbers(ODD[name], 1000)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (np.int64(7), 7),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.int8(-3), -3),
        (np.float32(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (Fraction(1, 2), 0.5),
        (2**1000, 2**1000),
        (-5, -5),
        (True, 1),
        (0.25, 0.25),
    ],
)
def test_a_right_number_stays_what_it_is(value, number):
    found = plain_number(value)
    assert found == number and type(found) is type(number)


@pytest.mark.parametrize(
    "values",
    [
        [3, 1, 2],
        (3, 1, 2),
        np.array([3, 1, 2], np.uint8),
        np.array([3, 1, 2], object),
        deque([3, 1, 2]),
        bytes([3, 1, 2]),
        iter([3, 1, 2]),
        {3: "a", 1: "b", 2: "c"},
        (np.int16(n) for n in (3, 1, 2)),
    ],
)
def test_a_right_list_may_be_of_any_kind(values):
    assert plain_numbers(values) == [3, 1, 2]


@pytest.mark.parametrize("most", [0, 1, 5])
def test_a_list_that_is_too_long_is_seen_to_be(most):
    """Cut to the length that is asked for, it might look right."""
    assert len(plain_numbers(list(range(most)), most)) == most
    assert len(plain_numbers(list(range(most + 1)), most)) > most
    assert len(plain_numbers(Endless(), most)) > most


MUCH = 4_000_000
LONG = {  # what holds much, made before it is measured
    "text": "x" * MUCH,
    "bytes": bytes(MUCH),
    "a byte array": bytearray(MUCH),
    "a list": [7] * MUCH,
    "a tuple": (7,) * MUCH,
    "lists in lists": [[7] * MUCH] * 3,
    "text in a list": ["x" * MUCH],
    "a dict": dict.fromkeys(range(MUCH // 10)),
    "text in a dict": {"x" * MUCH: "x" * MUCH},
    "a set": set(range(MUCH // 10)),
    "a frozen set": frozenset(range(MUCH // 10)),
    "a range": range(MUCH),
    "an array": np.zeros(MUCH),
}
ERRORS = {
    "alone": lambda value: ValueError(value),
    "a key": lambda value: KeyError(value),
    "with others": lambda value: ValueError("a", value, 3),
    "of a class": type("Mine", (RuntimeError,), {}),
    "exit": SystemExit,
    "stop": StopIteration,
}


@pytest.mark.parametrize("kind", ["the value", *ERRORS])
@pytest.mark.parametrize("name", LONG)
def test_the_text_of_what_is_long_is_never_built(name, kind):
    value = LONG[name] if kind == "the value" else ERRORS[kind](LONG[name])
    tracemalloc.start()
    try:
        texts = [plain_text(value)]
        if kind != "the value":
            texts.append(_described(value)[1])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200_000
    assert all(0 < len(text) <= 2_000 for text in texts)


@pytest.mark.parametrize("value", ["a b", 3, (1, "x"), [1.5, None], {"k": b"v"}, np.int8(3), {4}])
@pytest.mark.parametrize("kind", [ValueError, KeyError, LookupError])
def test_what_is_short_reads_as_python_says_it(value, kind):
    assert plain_text(value) == repr(value)
    assert plain_text(kind(value)) == str(kind(value))
    assert plain_text(kind(value, 2)) == str(kind(value, 2))
