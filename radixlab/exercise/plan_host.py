"""How the grader of 8.5.3 asks for a plan: where the learner's code runs, with plain data.

It measures what the plan itself costs: tokens that count comparisons and hashes, and CPU time. It
runs beside the learner's code, so its answer is worth no more than any other.
"""

import operator
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import process_time
from typing import Any

from radixlab.exercise.tree_work import Meter, TooMuchWorkError
from radixlab.exercise.workload import Pin, Plan, Request, Tokens, Workload

Rows = list[tuple[list[int], list[int], int | None]]
"""Prompt, output and the index of the turn before, by request."""
MakeTokens = Callable[[Iterable[int]], Tokens]


def counted_tokens(meter: Meter) -> MakeTokens:
    """Return what makes tuples of ints that count when they are compared, ordered or hashed.

    >>> meter = Meter(most=100)
    >>> one, same = map(counted_tokens(meter), ([1, 2, 3], [1, 2, 3]))
    >>> one == same, hash(one) == hash((1, 2, 3)), meter.count
    (True, True, 6)
    """

    def counting(name: str) -> Callable[..., Any]:
        plain = getattr(int, name)

        def counted(*args: Any) -> Any:
            meter.add(1)
            return plain(*args)

        return counted

    names = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__")
    token = type("Token", (int,), {"__slots__": (), **{name: counting(name) for name in names}})
    return lambda tokens: tuple(map(token, tokens))


def make_workload(
    pattern: str, rows: Rows, max_wait: int, pool_tokens: int, make_tokens: MakeTokens = tuple
) -> Workload:
    """Make the workload that a plan is asked for."""
    requests = (
        Request(index, make_tokens(prompt), make_tokens(output), after)
        for index, (prompt, output, after) in enumerate(rows)
    )
    return Workload(pattern, tuple(requests), max_wait, pool_tokens)


def ask(plan: Callable[[Workload], Any], *facts: Any) -> dict[str, Any]:
    """Ask for a plan; return it as plain data."""
    return answer(plan, make_workload(*facts))


def ask_counted(
    plan: Callable[[Workload], Any],
    most: float,
    pattern: str,
    rows: Rows,
    max_wait: int,
    pool_tokens: int,
) -> dict[str, Any]:
    """Ask for a plan, of tokens that count; end at `most` of what they count."""
    meter = Meter(most)
    workload = make_workload(pattern, rows, max_wait, pool_tokens, counted_tokens(meter))
    start_s = process_time()
    with suppress(TooMuchWorkError):
        answer(plan, workload)
    return {"work": meter.count, "cpu_s": process_time() - start_s}


def answer(plan: Callable[[Workload], Any], workload: Workload) -> dict[str, Any]:
    """Return a plan as lists of numbers; what is no number stands as text."""
    found = plan(workload)
    if not isinstance(found, Plan):
        return {"wrong": _told(found)}
    return {
        "order": _numbers(found.order),
        "block_size": _number(found.block_size),
        "pins": _pins(found.pins),
        "insertion": [_number(found.insertion(request)) for request in workload.requests],
        "hot_spot": _numbers(found.hot_spot),
    }


def _pins(pins: Any) -> Any:
    if not isinstance(pins, list | tuple):
        return _told(pins)
    return [
        [_numbers(pin.tokens), _number(pin.from_), _number(pin.until)]
        if isinstance(pin, Pin)
        else _told(pin)
        for pin in pins
    ]


def _numbers(values: Any) -> Any:
    try:
        return [_number(value) for value in values]
    except TypeError:
        return _told(values)


def _number(value: Any) -> Any:
    """Return an int of any kind, NumPy's too, as Python's own."""
    try:
        return int(operator.index(value))
    except TypeError:
        return _told(value)


def _told(value: Any) -> str:
    return repr(value)[:80]
