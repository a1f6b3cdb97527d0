"""The machine of paper copies what the engine copies, and charges what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.grade.ex2 import EngineMachine, PaperMachine
from radixlab.grade.ex2.door import RefusedError

VERBS = ("fork", "append", "release")
STEPS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 9)))


def num_copies(manager, steps):
    """The blocks copied by each step; a step picks one of the running sequences."""
    running, counts = [manager.start()], []
    for verb, pick in steps:
        sequence = running[pick % len(running)]
        if verb == "append":
            counts.append(len(manager.append(sequence)))
        elif verb == "fork" and len(running) < 6:
            child, copies = manager.fork(sequence)
            running.append(child)
            counts.append(len(copies))
        elif verb == "release" and len(running) > 1:
            running.remove(sequence)
            manager.release(sequence)
    return counts


@pytest.mark.parametrize("workload", ["inside", "boundary", "short"])
@pytest.mark.parametrize("kind", ["cow", "eager"])
@given(steps=STEPS)
def test_paper_copies_what_the_engine_copies(kind, workload, steps):
    paper = PaperMachine(0, workload).make_manager(kind, 16)
    engine = EngineMachine(6, token_floats=1, workload=workload).make_manager(kind, 16)
    assert num_copies(paper, steps) == num_copies(engine, steps)


def test_where_the_tree_holds_the_last_block_even_the_last_writer_copies():
    manager = PaperMachine(0, "cached").make_manager("cow", 16)
    parent = manager.start()
    child, _ = manager.fork(parent)
    writes = [parent, child, parent, child]
    assert [len(manager.append(sequence)) for sequence in writes] == [1, 1, 0, 0]


def test_a_call_returns_before_its_work_is_done():
    machine = PaperMachine(0)
    manager = machine.make_manager("cow", 16)
    before_s = machine.now_s
    manager.start()
    launched_s = machine.now_s - before_s
    manager.sync()
    assert 0 < launched_s < 0.5 * (machine.now_s - before_s)


@pytest.mark.parametrize("kind", ["cow", "eager"])
def test_a_warm_fork_costs_what_the_machine_says(kind):
    machine = PaperMachine(3)
    manager = machine.make_manager(kind, 16)
    parent, seconds = manager.start(), []
    for _ in range(101):
        manager.sync()
        before_s = machine.now_s
        _, copies = manager.fork(parent)
        manager.sync()
        seconds.append(machine.now_s - before_s)
    truth_s = machine.costs.eager_fork_s(16, len(copies))
    assert sorted(seconds)[50] == pytest.approx(truth_s, rel=0.03)


def test_the_same_seed_is_the_same_machine_to_the_bit():
    machines = [PaperMachine(5), PaperMachine(5)]
    managers = [machine.make_manager("cow", 8) for machine in machines]
    for manager in managers:
        num_copies(manager, [("fork", 0), ("append", 0), ("append", 1)] * 5)
    assert machines[0].clock() == machines[1].clock()


def test_no_two_readings_are_equal():
    for machine in (PaperMachine(0), EngineMachine(1)):
        readings = [machine.clock() for _ in range(1_000)]
        assert sorted(set(readings)) == readings


@pytest.mark.parametrize("machine", [PaperMachine(0), EngineMachine(2)], ids=["paper", "engine"])
def test_calls_that_make_no_sense_are_refused_by_name(machine):
    for arguments in (("lazy", 16), ("cow", 0), ("cow", "16"), (["cow"], 16)):
        with pytest.raises(RefusedError):
            machine.make_manager(*arguments)
    manager = machine.make_manager("cow", 16)
    for call in (manager.fork, manager.append, manager.release):
        with pytest.raises(RefusedError, match="sequence 7 is not running"):
            call(7)


def test_a_real_pool_that_is_not_refilled_runs_dry():
    manager = EngineMachine(2).make_manager("eager", 16)
    with pytest.raises(RefusedError, match=r"pool is full .* 8 sequences run; release"):
        for _ in range(9):
            manager.start()


def test_endless_sampling_is_refused():
    machine = PaperMachine(0)
    with pytest.raises(RefusedError, match="over 60,000 calls"):
        while True:
            machine.clock()
