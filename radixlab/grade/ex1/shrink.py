"""Making a failing scenario small: fewer operations, shorter keys, then the plainest numbers.

Greedy: whatever can go without the failure going goes. Every attempt is one call.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

from radixlab.grade.ex1.scenario import Operation, Scenario, is_fair, key_of, with_key

MAX_ATTEMPTS = 400


def shrink(scenario: Scenario, fails: Callable[[Scenario], bool]) -> Scenario:
    """Return a scenario that fails too, and that no single step makes smaller."""
    attempts, smaller = 0, True
    while smaller:
        smaller = False
        for attempt in _smaller(scenario):
            attempts += 1
            if attempts > MAX_ATTEMPTS:
                return scenario
            if fails(attempt):
                scenario, smaller = attempt, True
                break
    plain = _plain(scenario)
    return plain if fails(plain) else scenario


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    """Yield every fair scenario that is one step smaller, the largest steps first."""
    size, operations = scenario.block_size, scenario.operations
    for attempt in (*_without_some(operations), *_with_less(operations, size)):
        if is_fair(attempt, size):
            yield replace(scenario, operations=attempt)


def _without_some(operations: tuple[Operation, ...]) -> Iterator[tuple[Operation, ...]]:
    """Leave one operation out, with those that need its receipt; or a lock's receipt alone."""
    for i, operation in enumerate(operations):
        drop = {id(operation)}
        if operation[0] in ("lock", "keep", "unlock"):
            users = ("unlock", "again") if operation[0] != "unlock" else ("again",)
            drop |= {id(o) for o in operations if o[0] in users and o[1] == operation[1]}
        yield tuple(o for o in operations if id(o) not in drop)
        if operation[0] in ("lock", "keep"):
            free = ({"lock": "match", "keep": "insert"}[operation[0]], *operation[2:])
            kept = [free if j == i else o for j, o in enumerate(operations)]
            yield tuple(o for o in kept if id(o) not in drop)


def _with_less(
    operations: tuple[Operation, ...], block_size: int
) -> Iterator[tuple[Operation, ...]]:
    """Take one block, or what is over whole blocks, off one key; or evict one block less."""
    for i, operation in enumerate(operations):
        tokens, block_ids = key_of(operation)
        over = len(tokens) % block_size
        less: list[Operation] = []
        if operation[0] == "evict" and operation[1] > 1:
            less = [("evict", operation[1] // 2), ("evict", operation[1] - 1)]
        if over:
            less.append(with_key(operation, tokens[:-over], block_ids))
        if len(tokens) >= 2 * block_size:
            end = len(tokens) - over - block_size
            shorter = None if block_ids is None else block_ids[:-1]
            less.append(with_key(operation, tokens[:end] + tokens[end + block_size :], shorter))
        for one in less:
            yield (*operations[:i], one, *operations[i + 1 :])
    yield from _without_first_block(operations, block_size)


def _without_first_block(
    operations: tuple[Operation, ...], block_size: int
) -> Iterator[tuple[Operation, ...]]:
    """Take the first block off all keys that begin with the same one."""
    firsts = dict.fromkeys(key_of(operation)[0][:block_size] for operation in operations)
    for first in firsts:
        begins = [o for o in operations if key_of(o)[0][:block_size] == first]
        if len(first) < block_size or any(len(key_of(o)[0]) < 2 * block_size for o in begins):
            continue
        shorter = []
        for operation in operations:
            tokens, block_ids = key_of(operation)
            if tokens[:block_size] == first:
                rest = None if block_ids is None else block_ids[1:]
                operation = with_key(operation, tokens[block_size:], rest)
            shorter.append(operation)
        yield tuple(shorter)


def _plain(scenario: Scenario) -> Scenario:
    """Rename tokens to 1, 2, …, and blocks and receipts to 0, 1, …, in order of appearance."""
    tokens, blocks, receipts = (defaultdict[int, int](count(n).__next__) for n in (1, 0, 0))
    plain = []
    for operation in scenario.operations:
        if operation[0] in ("lock", "keep", "unlock", "again"):
            operation = (operation[0], receipts[operation[1]], *operation[2:])
        key, block_ids = key_of(operation)
        if key:
            named = None if block_ids is None else tuple(blocks[block] for block in block_ids)
            operation = with_key(operation, tuple(tokens[token] for token in key), named)
        plain.append(operation)
    return replace(scenario, operations=tuple(plain))
