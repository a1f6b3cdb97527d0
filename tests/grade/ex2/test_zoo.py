"""Every wrong benchmark loses the items it names and no other; every right one gets all points."""

import pytest

from tests.grade.ex2.zoo import ITEMS, RIGHT, WRONG, failure, loses, lost, source

CAUGHT = {  # what the course says each item must catch, with a submission that does it
    "no warm-up": "no_warm_up",
    "mean under outliers": "mean",
    "clock read before sync": "clock_before_sync",
    "one size only": "one_block_size",
    "times fork() instead of the first write": "times_the_fork",
    "counts full shared blocks": "counts_the_whole_table",
    "counts the last owner": "counts_the_last_owner",
}


def stem(path):
    return path.stem


@pytest.mark.parametrize("path", RIGHT, ids=stem)
def test_a_right_benchmark_gets_everything(path):
    assert lost(source(path)) == []


@pytest.mark.parametrize("path", WRONG, ids=stem)
def test_a_wrong_benchmark_loses_what_it_names(path, record_property):
    named = loses(path)
    failures = {item: failure(source(path), item) for item in named}
    assert all(failures.values()), failures
    record_property("zoo", f"8.5.2 {path.stem:38} {', '.join(named)}")


def test_the_zoo_has_every_fault_of_the_course():
    assert {*CAUGHT.values()} <= {path.stem for path in WRONG}


def test_every_item_has_a_wrong_benchmark_of_its_own():
    assert {loses(path)[0] for path in WRONG if len(loses(path)) == 1} == set(ITEMS)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("path", WRONG, ids=stem)
def test_a_wrong_benchmark_loses_nothing_else(path, seed):
    assert lost(source(path), seed=seed) == [item for item in ITEMS if item in loses(path)]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 40))
@pytest.mark.parametrize("path", RIGHT, ids=stem)
def test_a_right_benchmark_gets_everything_on_any_seed(path, seed):
    assert lost(source(path), seed=seed) == []
