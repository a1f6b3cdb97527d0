"""The numbers of several engines as those of one."""

import random
from dataclasses import fields, replace

import pytest

from radixlab.serve.counting import CacheCounts
from radixlab.serve.replicas.roster import Roster
from radixlab.serve.replicas.sums import total
from radixlab.serve.snapshot import Snapshot
from radixlab.serve.timing import Timing


def counted(scale):
    """A snapshot in which every number and every histogram has something."""
    cache, timing = CacheCounts(), Timing()
    for part in (cache, timing):
        for each in fields(part):
            value = getattr(part, each.name)
            if isinstance(value, int):
                setattr(part, each.name, 3 * scale)
            elif hasattr(value, "add"):
                value.add(scale)
            else:
                value["x"] += scale
    numbers = {each.name: scale for each in fields(Snapshot) if each.name.startswith("num_")}
    return Snapshot(cache, timing, **numbers)


def test_every_number_is_added():
    both = total([counted(1), counted(2)])
    for part in (both.cache, both.timing):
        for each in fields(part):
            value = getattr(part, each.name)
            if isinstance(value, int):
                assert value == 9, each.name
            elif hasattr(value, "add"):
                assert sum(value.counts) == 2 and value.total == 3, each.name
            else:
                assert value["x"] == 3, each.name
    assert all(getattr(both, name) == 3 for name in ("num_blocks", "num_nodes", "num_running"))


def test_a_dead_replica_keeps_its_counts_and_loses_its_blocks():
    roster = Roster()
    roster.saw({"x": counted(1), "y": counted(2)})
    before = roster.total()
    roster.saw({"y": counted(2)})
    after = roster.total()
    assert after.cache.query_tokens == before.cache.query_tokens == 9
    assert (after.num_blocks, roster.num_deaths) == (2, 1)


def test_a_new_replica_takes_the_number_of_the_dead_one():
    roster = Roster()
    for name in "xyz":
        roster.number(name)
    roster.died("y")
    assert roster.number("new") == 1 and sorted(roster.number_of.values()) == [0, 1, 2]


def test_a_replica_that_does_not_answer_is_not_dead():
    roster = Roster()
    roster.saw({"x": counted(1), "y": counted(1)})
    roster.saw({"y": replace(counted(1), num_blocks=5)}, are_all=False)
    assert roster.num_deaths == 0 and roster.total().num_blocks == 6


@pytest.mark.parametrize("late", ["took", "saw", "saw with others", "died"])
def test_what_a_dead_replica_said_comes_late_and_counts_for_nothing(late):
    roster, told = Roster(), []
    roster.on_death = told.append
    roster.saw({"x": counted(1), "y": counted(1)})
    roster.took("x", "rule")
    roster.died("x")
    before = roster.total().cache.query_tokens
    {
        "took": lambda: roster.took("x", "rule"),
        "saw": lambda: roster.saw({"x": counted(1), "y": counted(1)}),
        "saw with others": lambda: roster.saw({"x": counted(1)}, are_all=False),
        "died": lambda: roster.died("x"),
    }[late]()
    roster.saw({"y": counted(1)})
    assert (roster.num_deaths, told, list(roster.number_of)) == (1, [0], ["y"])
    assert roster.num_routed == {0: 1} and roster.total().cache.query_tokens == before


def test_counts_do_not_fall_and_memory_does_not_grow_with_deaths():
    rng, roster, counts = random.Random(0), Roster(), {}
    last = roster.total().cache.query_tokens
    for step in range(300):
        for name in list(counts):
            counts[name] += rng.randrange(3)
            if rng.random() < 0.2:
                del counts[name]
                if rng.random() < 0.5:
                    roster.died(name)
        while len(counts) < 3:
            counts[f"{step}.{len(counts)}"] = 0
        roster.saw({name: counted(count) for name, count in counts.items()})
        now = roster.total().cache.query_tokens
        assert now >= last and sorted(roster.number_of.values()) == [0, 1, 2]
        assert len(roster.last) == 3
        last = now
