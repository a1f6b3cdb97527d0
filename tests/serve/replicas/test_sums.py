"""The numbers of several engines as those of one."""

from dataclasses import fields, replace

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
