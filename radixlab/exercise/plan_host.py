"""How the grader of 8.5.3 asks for a plan: where the learner's code runs, with plain data.

Tokens can be ints that count how often they are compared or hashed: that count explains where a
plan's work comes from. It runs beside the learner's code, so its answer is worth no more than any
other; what decides is the CPU time, which the grader reads from outside.
"""

import gc
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Any

from radixlab.exercise.plain import plain_number, plain_numbers, plain_text
from radixlab.exercise.workload import Pin, Plan, Request, Tokens, Workload

Rows = list[tuple[list[int], list[int], int | None]]
"""Prompt, output and the index of the turn before, by request."""
MakeTokens = Callable[[Iterable[int]], Tokens]
MOST_PINS = 10_000
"""More than two for each request of any workload; the grader itself allows fewer."""


def counted_tokens(count: list[int]) -> MakeTokens:
    """Return what makes tuples of ints that count, in `count[0]`, comparisons and hashes.

    >>> count = [0]
    >>> one, same = map(counted_tokens(count), ([1, 2, 3], [1, 2, 3]))
    >>> one == same, hash(one) == hash((1, 2, 3)), count
    (True, True, [6])
    """

    def counting(name: str) -> Callable[..., Any]:
        plain = getattr(int, name)

        def counted(*args: Any) -> Any:
            count[0] += 1
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
    """Ask for a plan; return it as plain data.

    The garbage collector is off: its work grows with all objects alive, whatever the plan does.
    """
    gc.disable()
    try:
        return answer(plan, make_workload(*facts))
    finally:
        gc.enable()


def ask_counted(plan: Callable[[Workload], Any], *facts: Any) -> dict[str, Any]:
    """Ask for a plan for tokens that count; return it, and the `work` that they counted."""
    count = [0]
    workload = partial(make_workload, make_tokens=counted_tokens(count))(*facts)
    found = plan(workload)
    work = count[0]
    return {**_as_plain(found, workload), "work": work}


def answer(plan: Callable[[Workload], Any], workload: Workload) -> dict[str, Any]:
    """Return a plan as lists of numbers; anything else is described in a short text."""
    return _as_plain(plan(workload), workload)


def _as_plain(found: Any, workload: Workload) -> dict[str, Any]:
    if not isinstance(found, Plan):
        return {"wrong": plain_text(found)}
    return {
        "order": plain_numbers(found.order),
        "block_size": plain_number(found.block_size),
        "pins": _pins(found.pins),
        "insertion": [plain_number(found.insertion(request)) for request in workload.requests],
        "hot_spot": plain_numbers(found.hot_spot),
    }


def _pins(pins: Any) -> Any:
    if not isinstance(pins, list | tuple):
        return plain_text(pins)
    return [
        [plain_numbers(pin.tokens), plain_number(pin.from_), plain_number(pin.until)]
        if isinstance(pin, Pin)
        else plain_text(pin)
        for pin in islice(pins, MOST_PINS)
    ]
