# A ledger of named tuples, sorted and grouped: what a spreadsheet would do.
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

from radixlab.exercise.workload import BLOCK_SIZES, Pin, Plan


class Entry(NamedTuple):
    prefix: int
    position: int
    index: int
    steps: int


def plan(workload):
    requests = workload.requests
    rows = read(requests)
    order = list(arrange(rows, workload.max_wait))
    entries = sorted(
        Entry(prefix, position, index, steps)
        for position, index in enumerate(order)
        for steps, prefix in enumerate(rows[index], 1)
    )
    again, hot = {}, Entry(-1, 0, 0, 0)
    most = 0
    for _, group in groupby(entries, attrgetter("prefix")):
        uses = list(group)
        if (len(uses) - 1) * uses[0].steps > most:
            most, hot = (len(uses) - 1) * uses[0].steps, uses[0]
        for now, later in pairwise(uses):
            again[now.index] = max(
                again.get(now.index, (0, 0, 0)), (now.steps, later.position, now.position)
            )
    pins = [
        Pin(requests[index].tokens[: 8 * steps], now + 1, later + 1)
        for index, (steps, later, now) in again.items()
        if later - now > 7
    ]
    amounts = {index: 8 * again.get(index, (0,))[0] for index in order}
    return Plan(
        order,
        pick(amounts.values()),
        sorted(pins, key=attrgetter("from_")),
        lambda request: amounts[request.index],
        requests[hot.index].tokens[: 8 * hot.steps],
    )


def pick(amounts):
    best, total = BLOCK_SIZES[0], sum(amounts)
    for size in BLOCK_SIZES[1:]:
        if sum(amount // size * size for amount in amounts) < 0.94 * total:
            break
        best = size
    return best


def read(requests):
    known, rows = {}, []
    for request in requests:
        row, tokens = [], request.tokens
        while (end := 8 * len(row) + 8) <= len(tokens):
            key = (row[-1] if row else None, *tokens[end - 8 : end])
            row.append(known.setdefault(key, len(known)))
        rows.append(row)
    return rows


def arrange(rows, wait):
    pending, last = dict(enumerate(rows)), ()
    for position in range(len(rows)):
        oldest = min(pending) if len(pending) < 2 else next(iter(pending))
        window = [oldest]
        if position < oldest + wait:
            window = [index for index, _ in zip(pending, range(3 * wait), strict=False)]
        index = max(window, key=lambda one: common(pending[one], last))
        last = pending.pop(index)
        yield index


def common(one, other):
    num = 0
    while num < min(len(one), len(other)) and one[num] == other[num]:
        num += 1
    return num
