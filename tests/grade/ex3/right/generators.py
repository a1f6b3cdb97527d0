# Nothing but generators: each stage of the plan consumes the one before.
from collections import Counter, deque
from itertools import accumulate, islice, takewhile

from radixlab.exercise.workload import BLOCK_SIZES, Pin, Plan


def prefixes(requests):
    """Yield the numbered prefixes of each request, a tuple of them."""
    known = {}

    def number(above, step):
        return known.setdefault((above, step), len(known) + 1)

    for request in requests:
        steps = (request.tokens[s : s + 8] for s in range(0, len(request.tokens) - 7, 8))
        yield tuple(islice(accumulate(steps, number, initial=0), 1, None))


def alike(one, other):
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def served(rows, wait):
    """Yield who is served at each position."""
    queue, last = deque(range(len(rows))), ()
    for position in range(len(rows)):
        near = list(islice(queue, 3 * wait if position < queue[0] + wait else 1))
        index = max(near, key=lambda one: (alike(rows[one], last), -one))
        queue.remove(index)
        last = rows[index]
        yield index


def reuse(rows, order):
    """Yield position, index, steps used again and the position of that use, backwards."""
    later = {}
    for position, index in reversed(list(enumerate(order))):
        again = list(takewhile(lambda number: number in later, rows[index]))
        yield position, index, len(again), later[again[-1]] if again else position
        later.update(dict.fromkeys(rows[index], position))


def pins(requests, uses):
    for position, index, steps, use in uses:
        if use - position > 9:
            yield Pin(requests[index].tokens[: 8 * steps], position + 1, use + 1)


def spots(requests, rows):
    users = Counter(number for row in rows for number in row)
    for request, row in zip(requests, rows, strict=True):
        for steps, number in enumerate(row, 1):
            yield (users[number] - 1) * steps, -request.index, steps
    yield 0, 0, 0


def plan(workload):
    requests, rows = workload.requests, list(prefixes(workload.requests))
    order = list(served(rows, workload.max_wait))
    uses = list(reuse(rows, order))
    amount = {index: 8 * steps for _, index, steps, _ in uses}
    fits = (
        size
        for size in sorted(BLOCK_SIZES, reverse=True)
        if sum(a // size * size for a in amount.values()) >= 0.94 * sum(amount.values())
    )
    _, index, steps = max(spots(requests, rows))
    return Plan(
        order,
        next(fits),
        list(pins(requests, uses)),
        lambda request: amount[request.index],
        requests[-index].tokens[: 8 * steps],
    )
