"""The learner can replace whatever runs beside the submission: no answer from there breaks a check.

A check that raises anything but `Failed` would tell the learner that the grader failed. Here the
answers are those of the master, with one of them broken at a random point, as they would be if
`radixlab.exercise` had been patched.
"""

import copy
import itertools
import math
import random

import pytest

from radixlab.grade.items import Failed, Trial, call_here
from tests.grade.zoo import ZOOS, is_theirs

SHAPES = {
    "None": None,
    "True": True,
    "a number": 7,
    "a negative number": -1,
    "a large number": 2**200,
    "NaN": math.nan,
    "infinity": math.inf,
    "no text": "",
    "text": "x\x1b[2J" * 50,
    "bytes": b"\xff",
    "nothing": [],
    "a list of lists": [[], [[]]],
    "numbers": [1, 2, 3],
    "a long list": [0] * 20_000,
    "an empty dictionary": {},
    "a dictionary": {"a": 1, 2: None},
    "a tuple": (1, "a"),
}
EVERY = -1
PART = object()
"""Break one thing in an answer, not all of it."""
ITEMS = [(id, item) for id, zoo in ZOOS.items() for item in zoo.items]
NUM_BROKEN, NUM_BROKEN_IN_SOAK = 3, 60


class Tampering:
    """Calls what the check asks for, and breaks one answer, or every one."""

    def __init__(self, chance, at, whole=PART):
        self.chance, self.at, self.whole = chance, at, whole
        self.number = itertools.count()
        self.said = "nothing was broken"

    def __call__(self, where, *args):
        return self.answer(call_here(where, *args))

    def answer(self, value):
        if type(value).__module__.startswith("radixlab.exercise"):
            mine = self.at in (next(self.number), EVERY) and self.whole is not PART
            return self.whole if mine else Tampered(value, self)
        if self.at not in (next(self.number), EVERY):
            return value
        if self.whole is not PART:
            self.said = f"all became {self.whole!r:.60}"
            return self.whole
        return self.broken(copy.deepcopy(value))

    def broken(self, value):
        """Replace, drop or repeat one thing somewhere in plain data."""
        inside = [value]
        for thing in inside:
            entries = thing.values() if isinstance(thing, dict) else thing
            if isinstance(thing, dict | list | tuple) and len(inside) < 10_000:
                inside += [entry for entry in entries if isinstance(entry, dict | list | tuple)]
        where = self.chance.choice(inside)
        if not isinstance(where, dict | list) or not where:
            return self.odd()
        keys = list(where) if isinstance(where, dict) else range(len(where))
        key, how = self.chance.choice(keys), self.chance.choice(["odd", "odd", "drop", "repeat"])
        self.said = f"{how} at {key!r:.40} of {where!r:.80}"
        if how == "drop":
            del where[key]
        elif how == "repeat" and isinstance(where, list):
            where[key:key] = [where[key]] * self.chance.choice([1, 1000])
        else:
            where[key] = self.odd()
        return value

    def odd(self):
        return copy.deepcopy(self.chance.choice(list(SHAPES.values())))


class Tampered:
    """An object of radixlab.exercise that stays in the box: its methods' answers are broken."""

    def __init__(self, value, by):
        self._value, self._by = value, by

    def __getattr__(self, name):
        found = getattr(self._value, name)
        if callable(found):
            return lambda *args: self._by.answer(found(*args))
        return self._by.answer(found)


def survives(exercise, item, tampering):
    zoo = ZOOS[exercise]
    trial = Trial(zoo.loaded(zoo.master), 0, caller=tampering)
    try:
        share = zoo.items[item].check(trial)
    except Failed as error:
        assert str(error).isprintable() or "\n" in str(error)
        return "failed"
    except Exception as error:
        if not is_theirs(error):
            raise AssertionError(f"the check raised, where {tampering.said}") from error
        return "raised"
    assert share is None or 0 <= share <= 1
    return "passed"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("exercise", ZOOS)
def test_an_answer_of_any_shape_breaks_no_check(exercise, shape):
    tampering = Tampering(random.Random(0), EVERY, SHAPES[shape])
    item = "ledger" if exercise == "8.5.5" else next(iter(ZOOS[exercise].items))
    assert survives(exercise, item, tampering) != "passed"  # `deploy` acts, and returns nothing


@pytest.mark.parametrize("seed", range(NUM_BROKEN))
@pytest.mark.parametrize("exercise", ZOOS)
def test_an_answer_that_is_broken_anywhere_breaks_no_check(exercise, seed):
    chance = random.Random(f"{exercise} {seed}")
    survives(exercise, chance.choice(list(ZOOS[exercise].items)), Tampering(chance, 0))


@pytest.mark.soak
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("exercise", "item"), ITEMS)
def test_a_later_answer_of_any_shape_breaks_no_check(exercise, item, shape):
    for at in (0, 1, 2, 5):
        survives(exercise, item, Tampering(random.Random(at), at, SHAPES[shape]))


@pytest.mark.soak
@pytest.mark.parametrize(("exercise", "item"), ITEMS)
def test_an_answer_that_is_broken_anywhere_breaks_no_check_ever(exercise, item):
    for seed in range(NUM_BROKEN_IN_SOAK):
        chance = random.Random(f"{item} {seed}")
        survives(exercise, item, Tampering(chance, int(chance.expovariate(0.1))))
