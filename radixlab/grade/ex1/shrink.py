"""Making a failing scenario small: fewer calls, shorter keys, smaller blocks, plainest numbers.

Greedy, and by halves: whatever can go without the failure going goes, as much as possible at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from radixlab.exercise.tree import Tokens
from radixlab.grade.ex1.scenario import Operation, Scenario, fair, key_of, with_key

MAX_ATTEMPTS, MAX_OPERATIONS = 500, 30_000
"""That are played, all in all, before the scenario is small enough."""
Fails = Callable[[Scenario], bool]
Change = Callable[[Scenario, set[Any]], Iterable[Operation]]
"""Returns the operations of a scenario without some things."""


class _Budget(Exception):
    """All attempts are used up."""


def shrink(scenario: Scenario, fails: Fails, is_late: Callable[[], bool]) -> Scenario:
    """Return a scenario that fails too, and that no single step makes smaller, if there is time."""
    best, before = scenario, None
    num_left = [MAX_ATTEMPTS, MAX_OPERATIONS]

    def fails_too(attempt: Scenario) -> bool:
        nonlocal best
        num_operations = len(attempt.operations)
        num_left[0] -= 1
        num_left[1] -= num_operations * (1 + num_operations // 4 * attempt.watched)
        if min(num_left) < 0 or is_late():
            raise _Budget
        if fails(attempt):
            best = attempt
        return best is attempt

    try:
        while best != before:
            before = best
            _without(best, range(len(best.operations)), _calls, fails_too)
            _without(best, range(len(best.operations)), _locks, fails_too)
            _without(best, _blocks_of(best), _blocks, fails_too)
            _without(best, _evictions_of(best), _evictions, fails_too)
            _with_smaller_blocks(best, fails_too)
        _without(best, _tokens_of(best), _odd_tokens, fails_too)
        fails_too(replace(best, operations=tuple(_plain_ids(best.operations))))
    except _Budget:
        pass
    return best


def _without(scenario: Scenario, things: Iterable[Any], change: Change, fails: Fails) -> None:
    """Leave out as many things as can go, first all of them, then halves of what cannot."""
    gone: set[Any] = set()
    best, chunks = scenario, [list(things)]
    while chunks:
        chunk = chunks.pop()
        attempt = replace(scenario, operations=tuple(fair(change(scenario, gone | {*chunk}))))
        if attempt == best:
            continue
        if fails(attempt):
            gone |= {*chunk}
            best = attempt
        elif len(chunk) > 1:
            half = len(chunk) // 2
            chunks += [chunk[:half], chunk[half:]]


def _calls(scenario: Scenario, gone: set[int]) -> Iterable[Operation]:
    return (o for i, o in enumerate(scenario.operations) if i not in gone)


def _locks(scenario: Scenario, gone: set[int]) -> Iterable[Operation]:
    """Match or insert without locking."""
    free = {"lock": "match", "keep": "insert"}
    for i, operation in enumerate(scenario.operations):
        is_gone = i in gone and operation[0] in free
        yield (free[operation[0]], *operation[2:]) if is_gone else operation


def _cut(operation: Operation, size: int) -> Iterable[tuple[int, Tokens]]:
    """Return the blocks of a key with their indices, and what is over."""
    key, _ = key_of(operation)
    return enumerate(key[i : i + size] for i in range(0, len(key), size))


def _blocks_of(scenario: Scenario) -> Sequence[Any]:
    """List the blocks with the same index in any keys, then each of them alone."""
    found = [
        (i, block, number)
        for number, operation in enumerate(scenario.operations)
        for i, block in _cut(operation, scenario.block_size)
    ]
    together = dict.fromkeys((i, block) for i, block, _ in found)
    return [*together, *((i, number) for i, _, number in found)]


def _blocks(scenario: Scenario, gone: set[tuple[int, Tokens | int]]) -> Iterable[Operation]:
    for number, operation in enumerate(scenario.operations):
        pieces = _cut(operation, scenario.block_size)
        kept = [(i, block) for i, block in pieces if not gone & {(i, block), (i, number)}]
        block_ids = key_of(operation)[1] or ()
        still = [block_ids[i] for i, _ in kept if i < len(block_ids)]
        yield with_key(operation, tuple(token for _, block in kept for token in block), still)


def _evictions_of(scenario: Scenario) -> Iterable[tuple[int, int]]:
    """Yield smaller numbers of blocks for each eviction."""
    for i, operation in enumerate(scenario.operations):
        if operation[0] == "evict":
            num_blocks = operation[1]
            smaller = sorted({1, 2, num_blocks // 2, num_blocks - 1})
            yield from ((i, number) for number in smaller if 0 < number < num_blocks)


def _evictions(scenario: Scenario, gone: set[tuple[int, int]]) -> Iterable[Operation]:
    least = dict(sorted(gone, reverse=True))
    for i, operation in enumerate(scenario.operations):
        yield ("evict", least[i]) if i in least else operation


def _with_smaller_blocks(scenario: Scenario, fails: Fails) -> None:
    """Take the token at one position out of all blocks, for as many positions as possible."""
    for position in reversed(range(scenario.block_size)):
        size, operations = scenario.block_size, []
        for operation in scenario.operations:
            key, block_ids = key_of(operation)
            shorter = tuple(token for i, token in enumerate(key) if i % size != position)
            operations.append(with_key(operation, shorter, block_ids))
        attempt = replace(scenario, block_size=size - 1, operations=tuple(operations))
        if size > 1 and fails(attempt):
            scenario = attempt


def _tokens_of(scenario: Scenario) -> Sequence[int]:
    keys = (key_of(operation)[0] for operation in scenario.operations)
    return list(dict.fromkeys(token for key in keys for token in key))


def _odd_tokens(scenario: Scenario, gone: set[int]) -> Iterable[Operation]:
    """Rename tokens to 1, 2, … in order of appearance."""
    plain = {token: number for number, token in enumerate(_tokens_of(scenario), start=1)}
    for operation in scenario.operations:
        key, block_ids = key_of(operation)
        renamed = tuple(plain[token] if token in gone else token for token in key)
        yield with_key(operation, renamed, block_ids)


def _plain_ids(operations: Iterable[Operation]) -> Iterable[Operation]:
    """Rename blocks and receipts to 0, 1, … in order of appearance."""
    blocks, receipts = (defaultdict[int, int](count().__next__) for _ in range(2))
    for operation in operations:
        if operation[0] in ("lock", "keep", "unlock", "again"):
            operation = (operation[0], receipts[operation[1]], *operation[2:])
        key, block_ids = key_of(operation)
        yield with_key(operation, key, [blocks[block] for block in block_ids or ()])
