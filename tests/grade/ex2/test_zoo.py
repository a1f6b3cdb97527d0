"""Every wrong benchmark loses the items it names and no other; every right one gets all points."""

import pytest

from radixlab.grade.ex2.log import RefusedError
from radixlab.grade.items import Failed
from tests.grade.ex2.zoo import ITEMS, LOSES, RIGHT, WRONG, failure, lost
from tests.mutants.matrix import ZOO

CAUGHT = {  # what the course says each item must catch, with a submission that does it
    "no warm-up": "no_warm_up",
    "mean under outliers": "mean",
    "clock read before sync": "clock_before_sync",
    "one size only": "one_block_size",
    "times fork() instead of the first write": "times_the_fork",
    "counts full shared blocks": "counts_the_whole_table",
    "counts the last owner": "counts_the_last_owner",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_benchmark_gets_everything(name):
    assert lost(RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_benchmark_loses_what_it_names(name, record_property):
    failures = [failure(WRONG[name], item) for item in LOSES[name]]
    assert {type(error) for error in failures} <= {Failed, RefusedError}, failures
    record_property(ZOO, f"8.5.2 {name:38} {', '.join(LOSES[name])}")


def test_the_zoo_has_every_fault_of_the_course():
    assert {*CAUGHT.values()} <= WRONG.keys()


def test_every_item_has_a_wrong_benchmark_of_its_own():
    assert {items[0] for items in LOSES.values() if len(items) == 1} == ITEMS.keys()


@pytest.mark.soak
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_benchmark_loses_nothing_else(name, seed):
    assert lost(WRONG[name], seed) == [item for item in ITEMS if item in LOSES[name]]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 40))
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_benchmark_gets_everything_on_any_seed(name, seed):
    assert lost(RIGHT[name], seed) == []
