# NumPy: prefixes are hashed in bulk, and everyone is compared with the last one at once.
import numpy as np

from radixlab.exercise.workload import Plan

PATTERN = "agent"
STEP = 16
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def hashes(tokens):
    """A running hash at the end of each step, uint64 [steps]."""
    steps = np.array(tokens, np.uint64)[: len(tokens) // STEP * STEP].reshape(-1, STEP)
    weights = MULTIPLIER ** np.arange(1, STEP + 1, dtype=np.uint64)
    mixed = (steps * weights).sum(axis=1)
    mixed = (mixed ^ (mixed >> np.uint64(31))) * MULTIPLIER
    powers = np.cumprod(np.full(len(mixed), np.uint64(0x9E3779B97F4A7C55)))
    return np.cumsum(mixed * powers)


def same_steps(one, other):
    num = min(len(one), len(other))
    differ = np.flatnonzero(one[:num] != other[:num])
    return int(differ[0]) if len(differ) else num


def plan(workload):
    requests, wait = workload.requests, workload.max_wait
    rows = [hashes(request.tokens) for request in requests]
    order, queue, last = [], list(range(len(rows))), rows[0]
    while queue:
        may_go = queue[: 3 * wait] if len(order) - queue[0] < wait else queue[:1]
        best = max(may_go, key=lambda index: (same_steps(rows[index], last), -index))
        queue.remove(best)
        order.append(best)
        last = rows[best]
    amounts = np.zeros(len(rows), int)
    for place, index in enumerate(order):
        for other in order[place + 1 : place + 25]:
            amounts[index] = max(amounts[index], STEP * same_steps(rows[index], rows[other]))
    return Plan(
        np.array(order),
        np.int64(32),
        [],
        lambda request: amounts[request.index],
        hot(rows, requests),
    )


def hot(rows, requests):
    numbers, counts = np.unique(np.concatenate(rows), return_counts=True)
    best, prefix = 0, ()
    for request, row in zip(requests, rows, strict=True):
        saved = (counts[np.searchsorted(numbers, row)] - 1) * np.arange(1, len(row) + 1)
        if len(saved) and saved.max() > best:
            best, prefix = saved.max(), request.tokens[: (int(saved.argmax()) + 1) * STEP]
    return prefix
