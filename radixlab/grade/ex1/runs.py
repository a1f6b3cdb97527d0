"""Running scenarios on the learner's tree, and showing the smallest one that fails."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from radixlab.grade.ex1.judge import Fault, find_fault
from radixlab.grade.ex1.picture import ends, state_of_model, state_of_rows
from radixlab.grade.ex1.scenario import Scenario, key_of
from radixlab.grade.ex1.shrink import shrink
from radixlab.grade.items import Failed, Trial
from radixlab.observe.state import State

PLAY = "radixlab.exercise.tree_player:play"


def require(trial: Trial, scenarios: Iterable[Scenario]) -> None:
    """Let the learner's tree play each scenario; raise `Failed` with the first fault, shrunk."""
    for scenario in scenarios:
        if fault := _fault(trial, scenario):
            raise _failed(trial, _up_to(scenario, fault))


def _fault(trial: Trial, scenario: Scenario) -> Fault | None:
    return find_fault(scenario, _play(trial, scenario, scenario.watched))


def _play(trial: Trial, scenario: Scenario, watched: bool) -> Any:
    operations = [list(operation) for operation in scenario.operations]
    make_tree = trial.learner.RadixTree
    return trial.call(PLAY, make_tree, scenario.block_size, operations, watched)


def _up_to(scenario: Scenario, fault: Fault) -> Scenario:
    return replace(scenario, operations=scenario.operations[: fault.number + 1])


def _failed(trial: Trial, scenario: Scenario) -> Failed:
    scenario = shrink(scenario, lambda attempt: _fault(trial, attempt) is not None)
    fault = _fault(trial, scenario)
    if fault is None:
        return Failed("The same calls on two new trees were answered differently.")
    scenario = _up_to(scenario, fault)
    expected, actual = _pictures(trial, scenario, fault)
    code = scenario.code() + ("\nlist(tree.walk())" if fault.in_walk else "")
    return Failed(str(fault.wrong), scenario=code, expected=expected, actual=actual)


def _pictures(
    trial: Trial, scenario: Scenario, fault: Fault
) -> tuple[State | str | None, State | str | None]:
    """Return the oracle's tree and the learner's after the scenario.

    Where the latter is right, or cannot be drawn, return what was expected and came, as text.
    """
    pool = max((block for op in scenario.operations for block in key_of(op)[1] or ()), default=0)
    answers = _play(trial, scenario, watched=True)
    last = answers[-1] if isinstance(answers, list) and answers else None
    rows = last.get("walk") if isinstance(last, dict) else None
    found = None if rows is None else state_of_rows(rows, scenario.block_size, pool + 1)
    right = state_of_model(fault.model, pool + 1, ends(found) if found else ())
    if found is None or _contents(found) == _contents(right):
        return fault.wrong.expected, fault.wrong.actual
    return right, found


def _contents(state: State) -> dict[tuple[int, ...], tuple[int, int]]:
    """Return the block and the locks of each prefix: what two trees of other nodes can share."""
    contents = {}
    prefix_of: dict[int | None, tuple[int, ...]] = {None: ()}
    for node in state.nodes.values():
        prefix = prefix_of[node.parent_id]
        for i, block in enumerate(node.block_ids):
            end = (i + 1) * state.block_size
            contents[prefix + tuple(node.tokens[:end])] = block, node.lock_ref
        prefix_of[node.id] = prefix + tuple(node.tokens)
    return contents
