"""A cheat earns nothing but what its first line says it may: graded in the box, as a learner is.

Those in tests/grade/cheats/ know nothing of any exercise. Those of an exercise may earn what they
do honestly, and take some seconds each: `make soak` grades them, twice.
"""

import itertools

import pytest

from tests.grade.zoo import HERE, ZOOS, read_submissions

OF_ANY = read_submissions(HERE / "cheats")
CHEATS = [(id, name) for id, zoo in ZOOS.items() for name in (*OF_ANY, *zoo.cheats)]
TURNS = [(id, name) for id, name in zip(itertools.cycle(ZOOS), OF_ANY, strict=False)]
"""Each of those on one exercise, to save time; `make soak` tries all on all."""
SEEDS = (0, 1)


def earned(exercise, name, seed, items=None):
    """What was earned and must not be, or could not be judged."""
    zoo = ZOOS[exercise]
    report = zoo.report(zoo.cheats.get(name) or OF_ANY[name], seed, items)
    return [
        f"{item.item.id}: {item.verdict.status}, {item.verdict.share:.2f} {item.verdict.message}"
        for item in report.items
        if item.verdict.status == "not_run"
        or (item.verdict.share > 0 and item.item.id not in zoo.earns.get(name, ()))
    ]


@pytest.mark.parametrize(("exercise", "name"), TURNS)
def test_a_cheat_that_knows_nothing_earns_nothing(exercise, name):
    first = next(iter(ZOOS[exercise].items))
    assert earned(exercise, name, 0, [first]) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("exercise", "name"), CHEATS)
def test_a_cheat_earns_nothing_but_what_it_may(exercise, name, seed):
    assert earned(exercise, name, seed) == []


def test_there_are_cheats_enough_to_mean_something():
    of_its_own = [len(zoo.cheats) for zoo in ZOOS.values()]
    assert len(OF_ANY) >= 10 and len(OF_ANY) + sum(of_its_own) >= 20


def test_what_is_done_honestly_earns_points_in_the_same_way():
    """The control: it is not the way of grading that gives cheats nothing."""
    report = ZOOS["8.5.1"].report(ZOOS["8.5.1"].master, 0, ["match"])
    assert [item.verdict.share for item in report.items] == [1]


@pytest.mark.parametrize("exercise", ZOOS)
def test_a_cheat_names_items_of_its_exercise(exercise):
    zoo = ZOOS[exercise]
    assert {item for items in zoo.earns.values() for item in items} <= zoo.items.keys()
