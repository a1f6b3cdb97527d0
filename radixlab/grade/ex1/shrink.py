"""Making a failing scenario small: fewer calls, shorter keys, smaller blocks, plainest numbers.

Greedy, and by halves: whatever can go without the failure going goes, as much as possible at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count
from time import thread_time
from typing import Any

from radixlab.exercise.tree import Tokens
from radixlab.grade.ex1.scenario import Operation, Scenario, fair, key_of, with_key

MAX_ATTEMPTS, MAX_OPERATIONS = 500, 30_000
"""That are played, all in all, before the scenario is small enough."""
MAX_S = 2.0
"""Of the grader's CPU time, likewise: it is long before the item's limit."""
Fails = Callable[[Scenario], bool]
Change = Callable[[Scenario, set[Any]], Iterable[Operation]]
"""Returns the operations of a scenario without some things."""


class _Budget(Exception):
    """All attempts are used up."""


def shrink(scenario: Scenario, fails: Fails) -> Scenario:
    """Return a scenario that fails too, and that no single step makes smaller, if there is time."""
    best, num_left, end_s = [scenario], [MAX_ATTEMPTS, MAX_OPERATIONS], thread_time() + MAX_S

    def fails_too(attempt: Scenario) -> bool:
        num_operations = len(attempt.operations)
        num_left[0] -= 1
        num_left[1] -= num_operations * (1 + num_operations // 4 * attempt.watched)
        if min(num_left) < 0 or thread_time() > end_s:
            raise _Budget
        if fails(attempt):
            best.append(attempt)
        return best[-1] is attempt

    try:
        before = None
        while best[-1] != before:
            before = best[-1]
            _shrink_once(before, fails_too)
        _without(best[-1], _tokens_of(best[-1]), _odd_tokens, fails_too)
        fails_too(replace(best[-1], operations=tuple(_plain_ids(best[-1].operations))))
    except _Budget:
        pass
    return best[-1]


def _shrink_once(scenario: Scenario, fails: Fails) -> None:
    scenario = _without(scenario, range(len(scenario.operations)), _calls, fails)
    scenario = _without(scenario, range(len(scenario.operations)), _locks, fails)
    scenario = _without(scenario, _blocks_of(scenario), _blocks, fails)
    scenario = _with_less_evicted(scenario, fails)
    _with_smaller_blocks(scenario, fails)


def _without(scenario: Scenario, things: Iterable[Any], change: Change, fails: Fails) -> Scenario:
    """Leave out as many things as can go, first all of them, then halves of what cannot."""
    gone: set[Any] = set()
    best, chunks = scenario, [list(things)]
    while chunks:
        chunk = chunks.pop()
        attempt = replace(scenario, operations=tuple(fair(change(scenario, gone | {*chunk}))))
        if attempt == best or not chunk:
            continue
        if fails(attempt):
            gone |= {*chunk}
            best = attempt
        elif len(chunk) > 1:
            half = len(chunk) // 2
            chunks += [chunk[:half], chunk[half:]]
    return best


def _calls(scenario: Scenario, gone: set[int]) -> Iterable[Operation]:
    return (o for i, o in enumerate(scenario.operations) if i not in gone)


def _locks(scenario: Scenario, gone: set[int]) -> Iterable[Operation]:
    """Match or insert without locking."""
    free = {"lock": "match", "keep": "insert"}
    for i, operation in enumerate(scenario.operations):
        is_gone = i in gone and operation[0] in free
        yield (free[operation[0]], *operation[2:]) if is_gone else operation


def _blocks_of(scenario: Scenario) -> Sequence[Any]:
    """List what stands at the same level of any keys: a block, or what is over; then each alone."""
    size, together, alone = scenario.block_size, dict[Any, None](), list[Any]()
    for number, operation in enumerate(scenario.operations):
        key, _ = key_of(operation)
        for i in _starts(key, size):
            together[i, key[i : i + size]] = None
            alone.append((i, number))
    return [*together, *alone]


def _blocks(scenario: Scenario, gone: set[tuple[int, Tokens | int]]) -> Iterable[Operation]:
    size = scenario.block_size
    for number, operation in enumerate(scenario.operations):
        key, _ = key_of(operation)
        starts = [
            i
            for i in _starts(key, size)
            if (i, key[i : i + size]) not in gone and (i, number) not in gone
        ]
        yield _with_blocks(operation, starts, size)


def _starts(key: Tokens, block_size: int) -> range:
    return range(0, len(key), block_size)


def _with_blocks(operation: Operation, starts: list[int], block_size: int) -> Operation:
    key, block_ids = key_of(operation)
    if len(starts) == len(_starts(key, block_size)):
        return operation
    shorter = tuple(token for i in starts for token in key[i : i + block_size])
    if block_ids is not None:
        whole = (i // block_size for i in starts)
        block_ids = tuple(block_ids[i] for i in whole if i < len(block_ids))
    return with_key(operation, shorter, block_ids)


def _with_less_evicted(scenario: Scenario, fails: Fails) -> Scenario:
    for i, operation in enumerate(scenario.operations):
        less = (1, 2, operation[1] // 2, operation[1] - 1) if operation[0] == "evict" else ()
        for num_blocks in less:
            operations = list(scenario.operations)
            operations[i] = ("evict", num_blocks)
            attempt = replace(scenario, operations=tuple(operations))
            if 0 < num_blocks < scenario.operations[i][1] and fails(attempt):
                scenario = attempt
                break
    return scenario


def _with_smaller_blocks(scenario: Scenario, fails: Fails) -> None:
    """Take the token at one position out of all blocks, for as many positions as possible."""
    size, position = scenario.block_size, scenario.block_size - 1
    while size > 1 and position >= 0:
        operations = []
        for operation in scenario.operations:
            key, block_ids = key_of(operation)
            shorter = tuple(token for i, token in enumerate(key) if i % size != position)
            operations.append(with_key(operation, shorter, block_ids) if key else operation)
        attempt = replace(scenario, block_size=size - 1, operations=tuple(operations))
        if fails(attempt):
            scenario, size = attempt, size - 1
        position -= 1


def _tokens_of(scenario: Scenario) -> Sequence[int]:
    keys = (key_of(operation)[0] for operation in scenario.operations)
    return list(dict.fromkeys(token for key in keys for token in key))


def _odd_tokens(scenario: Scenario, gone: set[int]) -> Iterable[Operation]:
    """Rename tokens to 1, 2, … in order of appearance."""
    plain = {token: number for number, token in enumerate(_tokens_of(scenario), start=1)}
    for operation in scenario.operations:
        key, block_ids = key_of(operation)
        renamed = tuple(plain[token] if token in gone else token for token in key)
        yield with_key(operation, renamed, block_ids) if key else operation


def _plain_ids(operations: Iterable[Operation]) -> Iterable[Operation]:
    """Rename blocks and receipts to 0, 1, … in order of appearance."""
    blocks, receipts = (defaultdict[int, int](count().__next__) for _ in range(2))
    for operation in operations:
        if operation[0] in ("lock", "keep", "unlock", "again"):
            operation = (operation[0], receipts[operation[1]], *operation[2:])
        key, block_ids = key_of(operation)
        if block_ids is not None:
            operation = with_key(operation, key, tuple(blocks[block] for block in block_ids))
        yield operation
