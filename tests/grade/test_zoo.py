"""Every wrong solution loses the items it names and no other; every right one gets all points."""

import json
import re

import pytest

from tests.grade.zoo import SOLUTIONS, ZOOS
from tests.mutants.matrix import ZOO

RIGHT = [(id, name) for id, zoo in ZOOS.items() for name in zoo.right]
NUM_RIGHT = {"8.5.1": 3, "8.5.2": 2, "8.5.3": 1, "8.5.4": 1, "8.5.5": 1}
SAMPLE = [(id, name) for id, zoo in ZOOS.items() for name in list(zoo.right)[1 : NUM_RIGHT[id]]]
"""At most two beside the master, which its own notebook grades: nbval compares the points that are
printed there. `make soak` grades all of them, with SEEDS."""
FEWEST_OTHERS = {"8.5.5": 6}
"""Twelve of each other exercise; of 8.5.5 each writes all five parts."""
SEEDS = range(8)
WRONG = [(id, name) for id, zoo in ZOOS.items() for name in zoo.wrong]
CAUGHT = {  # what the course says each exercise must catch, with a submission that does it
    "8.5.1": {
        "partial block counted": "counts_a_partial_block",
        "length not a multiple": "finds_nothing_for_ragged_keys",
        "token boundary": "token_boundary",
        "off by one block": "off_by_one_block",
        "lost suffix child": "loses_the_suffix",
        "keyed by first token": "keyed_by_first_token",
        "leak": "leaks_duplicates",
        "overwrite": "overwrites",
        "leaf only": "leaf_only",
        "below zero": "below_zero",
        "one half": "one_half",
        "inner node": "evicts_inner_nodes",
        "locked": "evicts_locked_leaves",
        "double": "evicts_each_twice",
        "stops early": "stops_early",
        "scan of children": "scan_of_children",
        "quadratic slicing": "slices_the_rest",
    },
    "8.5.2": {
        "no warm-up": "no_warm_up",
        "mean under outliers": "mean",
        "clock read before sync": "clock_before_sync",
        "one size only": "one_block_size",
        "times fork() instead of the first write": "times_the_fork",
        "counts full shared blocks": "counts_the_whole_table",
        "counts the last owner": "counts_the_last_owner",
    },
    "8.5.3": {
        "shuffles that break a shared prefix": "shuffled",
        "grouping by first token only": "first_token_only",
        "all pairs": "all_pairs",
        "pins never lifted": "pins_for_ever",
        "over-fitting": "over_fitted",
        "hard-coding": "cut_at_a_constant",
        "another hot spot than the counters show": "names_the_longest",
        "a request that is not served": "forgets_one",
        "a request that is served twice": "serves_one_twice",
        "a request that waits too long": "starves",
    },
    "8.5.4": {
        "a locked victim": "evicts_locked",
        "an inner victim": "evicts_inner",
        "an absent victim": "evicts_absent",
        "leaked metadata": "keeps_removed_nodes",
        "FIFO posing as LRU": "fifo_posing_as_lru",
        "LFU wins on scans and ruins chat": "lfu",
        "random beats LRU on some traces": "dice",
        "a starved tenant": "starves_the_small",
        "a look at every leaf": "looks_at_all",
        "chance": "rolls_dice_at_times",
    },
    "8.5.5": {
        "a hard-coded port": "port_8000",
        "ready too early": "alive_is_ready",
        "a pool smaller than the working set": "a_pool_for_documents_only",
        "gauges for counters": "gauges_for_counters",
        "a difference across a restart": "the_last_minus_the_first",
        "labels summed wrongly": "the_device_only",
        "averages over all time": "averages_over_all_time",
        "division by zero": "divides_by_zero",
        "unbounded lists": "keeps_every_increase",
        "always fires": "always_fires",
        "never fires": "never_fires",
        "no for": "no_for",
        "a fault without a name": "no_leaks_here",
        "a healthy server with a fault": "busy_is_a_leak",
    },
}
NAMED = [(id, name) for id, faults in CAUGHT.items() for name in dict.fromkeys(faults.values())]


def lost_in_the_box(exercise, name, seed):
    report = ZOOS[exercise].report(ZOOS[exercise].right[name], seed)
    return [f"{item.id}: {item.verdict.message}" for item in report.items if item.verdict.share < 1]


@pytest.mark.parametrize(("exercise", "name"), SAMPLE)
def test_a_right_solution_gets_everything(exercise, name):
    assert lost_in_the_box(exercise, name, 0) == []


@pytest.mark.parametrize("exercise", ZOOS)
def test_the_masters_notebook_ends_with_all_points(exercise):
    """What it prints is compared with a fresh grading, in the box, by `make nbval`."""
    name, points = ZOOS[exercise].exercise.notebook, ZOOS[exercise].exercise.points
    notebook = json.loads((SOLUTIONS / f"{name}.ipynb").read_text("utf-8"))
    printed = re.findall(r"(\d+) of (\d+) points", json.dumps(notebook["cells"]))
    assert printed[-1] == (str(points), str(points))


@pytest.mark.parametrize(("exercise", "name"), NAMED)
def test_a_wrong_solution_loses_what_it_names(exercise, name, record_property):
    """By default those that the course names lose what they are made for; the rest is soak."""
    zoo = ZOOS[exercise]
    assert zoo.failure(zoo.wrong[name], zoo.loses[name][0])
    record_property(ZOO, f"{exercise} {name:38} {', '.join(zoo.loses[name])}")


@pytest.mark.parametrize("exercise", ZOOS)
def test_the_zoo_has_every_fault_of_the_course(exercise):
    assert {*CAUGHT[exercise].values()} <= ZOOS[exercise].wrong.keys()


@pytest.mark.parametrize("exercise", ZOOS)
def test_every_item_has_a_wrong_solution_made_for_it(exercise):
    zoo = ZOOS[exercise]
    assert {items[0] for items in zoo.loses.values()} == zoo.items.keys()


@pytest.mark.parametrize("exercise", ZOOS)
def test_there_are_right_solutions_in_other_styles_beside_the_master(exercise):
    assert len(ZOOS[exercise].right) > FEWEST_OTHERS.get(exercise, 12)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize(("exercise", "name"), WRONG)
def test_a_wrong_solution_loses_nothing_else(exercise, name, seed):
    """On every seed it loses its first item; one seed's luck may spare it what else it names."""
    zoo = ZOOS[exercise]
    lost = zoo.lost(zoo.wrong[name], seed)
    assert zoo.loses[name][0] in lost
    assert set(lost) <= set(zoo.loses[name])


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("exercise", "name"), RIGHT)
def test_a_right_solution_gets_everything_on_any_seed(exercise, name, seed):
    assert lost_in_the_box(exercise, name, seed) == []
