"""A cheat earns nothing but what its first line says it may: graded in the box, as a learner is.

Those in tests/grade/cheats/ know nothing of any exercise, and are tried on all of them.
"""

import pytest

from tests.grade.zoo import HERE, ZOOS, read_submissions

OF_ANY = read_submissions(HERE / "cheats")
CHEATS = [(id, name) for id, zoo in ZOOS.items() for name in (*zoo.cheats, *OF_ANY)]
SEEDS = (1, 2, 3)
FEW = 2
"""Items that those of any exercise are tried on by default, to save time."""


def earned(exercise, name, seed, most_items=None):
    """The items that must earn nothing and did, or that the grader could not judge."""
    zoo = ZOOS[exercise]
    text = zoo.cheats.get(name) or OF_ANY[name]
    judged = [item for item in zoo.items if item not in zoo.earns.get(name, ())]
    judged = judged[:most_items]
    report = zoo.report(text, seed, judged)
    assert [item.item.id for item in report.items] == judged
    return [
        f"{item.item.id}: {item.verdict.status}, {item.verdict.share:.2f} {item.verdict.message}"
        for item in report.items
        if item.verdict.share > 0 or item.verdict.status == "not_run"
    ]


@pytest.mark.parametrize(("exercise", "name"), CHEATS)
def test_a_cheat_earns_nothing_but_what_it_may(exercise, name):
    few = FEW if name in OF_ANY else None
    assert earned(exercise, name, 0, few) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", [0, *SEEDS])
@pytest.mark.parametrize(("exercise", "name"), CHEATS)
def test_a_cheat_earns_nothing_on_any_seed(exercise, name, seed):
    assert earned(exercise, name, seed) == []


@pytest.mark.parametrize("exercise", ZOOS)
def test_what_is_done_honestly_earns_points_in_the_same_way(exercise):
    """The control: it is not the way of grading that gives cheats nothing."""
    zoo = ZOOS[exercise]
    first = next(iter(zoo.items))
    assert [item.verdict.share for item in zoo.report(zoo.master, 0, [first]).items] == [1]


@pytest.mark.parametrize("exercise", ZOOS)
def test_a_cheat_names_items_of_its_exercise(exercise):
    zoo = ZOOS[exercise]
    assert {item for items in zoo.earns.values() for item in items} <= zoo.items.keys()
