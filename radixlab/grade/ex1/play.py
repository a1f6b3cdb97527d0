"""Playing scenarios on the learner's tree, and showing the smallest one that fails."""

from collections.abc import Iterable
from dataclasses import replace
from time import thread_time
from typing import Any

from radixlab.grade.box import LearnerError
from radixlab.grade.ex1.audit import Fault, find_fault
from radixlab.grade.ex1.picture import contents_of, state_of_model, state_of_rows
from radixlab.grade.ex1.scenario import Scenario, key_of
from radixlab.grade.ex1.shrink import shrink
from radixlab.grade.ex1.traffic import Family
from radixlab.grade.items import Check, Failed, Trial
from radixlab.observe.state import State

PLAY = "radixlab.exercise.tree_player:play"
SHRINKING, MAX_SHRINKING_S = "seconds left to shrink scenarios", 3.0
"""Of CPU time in all items together. One scenario takes at most half of what is left."""
MAX_WATCHED = 100
"""Calls with a walk after each: a longer scenario is not watched in search of the cause."""


def check_of(family: Family) -> Check:
    """Return the check that plays a family's scenarios; it shows the first fault, shrunk."""
    return lambda trial: play_all(trial, family(trial.random))


def play_all(trial: Trial, scenarios: Iterable[Scenario]) -> None:
    """Play scenarios up to the first that fails; raise `Failed` with it."""
    for scenario in scenarios:
        if fault := _fault(trial, scenario):
            raise _failed(trial, scenario, fault)


def _fault(trial: Trial, scenario: Scenario) -> Fault | None:
    return find_fault(scenario, _play(trial, scenario))


def _play(trial: Trial, scenario: Scenario) -> Any:
    operations = [list(operation) for operation in scenario.operations]
    make_tree = trial.learner.RadixTree
    return trial.call(PLAY, make_tree, scenario.block_size, operations, scenario.watched)


def _failed(trial: Trial, scenario: Scenario, fault: Fault) -> Failed:
    scenario = _shrunk(trial, _up_to(scenario, fault), fault.raised)
    scenario = _to_the_cause(trial, scenario)
    again = _fault(trial, scenario)
    if again is None:
        return Failed(f"The same calls on two new trees were answered differently. {fault.wrong}")
    scenario = _up_to(scenario, again)
    expected, actual = _pictures(trial, scenario, again)
    code = scenario.code() + ("\nlist(tree.walk())" if again.in_walk else "")
    return Failed(str(again.wrong), scenario=code, expected=expected, actual=actual)


def _up_to(scenario: Scenario, fault: Fault) -> Scenario:
    return replace(scenario, operations=scenario.operations[: fault.number + 1])


def _shrunk(trial: Trial, scenario: Scenario, raised: str) -> Scenario:
    def fails(attempt: Scenario) -> bool:
        fault = _fault(trial, attempt)
        return fault is not None and fault.raised == raised

    left_s, start_s = trial.memory.get(SHRINKING, MAX_SHRINKING_S), _cpu_s(trial)
    shrunk = shrink(scenario, fails, lambda: _cpu_s(trial) - start_s > left_s / 2)
    trial.memory[SHRINKING] = left_s - (_cpu_s(trial) - start_s)
    return shrunk


def _cpu_s(trial: Trial) -> float:
    """Return the CPU time of both sides: the learner's code may be the slow one."""
    return thread_time() + (trial.usage().cpu_s or 0.0)


def _to_the_cause(trial: Trial, scenario: Scenario) -> Scenario:
    """Judge what `walk` shows as well: where an earlier call broke the tree, end there."""
    if len(scenario.operations) > MAX_WATCHED:
        return scenario
    watched = replace(scenario, judged=scenario.judged | {"shape", "contents"})
    try:
        late, early = _fault(trial, scenario), _fault(trial, watched)
        if late and early and early.in_walk and early.number < late.number:
            return _shrunk(trial, _up_to(watched, early), "")
    except (LearnerError, NotImplementedError):
        pass  # there is no `walk` yet
    return scenario


def _pictures(
    trial: Trial, scenario: Scenario, fault: Fault
) -> tuple[State | str | None, State | str | None]:
    """Return the oracle's tree and the learner's after the scenario.

    Where the latter is right, or cannot be drawn, return what was expected and came, as text.
    """
    pool = max((block for op in scenario.operations for block in key_of(op)[1] or ()), default=0)
    try:
        answers = _play(trial, replace(scenario, operations=(*scenario.operations, ("walk",))))
    except (LearnerError, NotImplementedError):
        answers = None
    last = answers[-1] if isinstance(answers, list) and answers else None
    rows = last.get("walk") if isinstance(last, dict) else None
    found = None if rows is None else state_of_rows(rows, scenario.block_size, pool + 1)
    if found is not None:
        contents, ends = contents_of(found, fault.model)
        right = state_of_model(fault.model, pool + 1, ends)
        if contents != contents_of(right, fault.model)[0]:
            return right, found
    return fault.wrong.expected, fault.wrong.actual
