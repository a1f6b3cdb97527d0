# Looks into the future as Belady did: of what is used late, the pins take what saves most per turn.
from collections import defaultdict

from radixlab.exercise.workload import BLOCK_SIZES, Pin, Plan


def plan(workload):
    requests = workload.requests
    paths = numbered(requests)
    order = arrange(paths, workload.max_wait)
    uses = defaultdict(list)
    for position, index in enumerate(order):
        for number in paths[index]:
            uses[number].append(position)
    turn, wanted, late = defaultdict(int), {}, []
    for position, index in enumerate(order):
        depth = use = 0
        for steps, number in enumerate(paths[index], 1):
            turn[number] += 1
            if turn[number] < len(uses[number]):
                depth, use = steps, uses[number][turn[number]]
        wanted[index] = 8 * depth
        if depth and use - position > 5:
            late.append((8 * depth / (use - position), position, index, use))
    pins = choose(late, wanted, requests, workload.pin_budget_tokens)
    size = max(s for s in BLOCK_SIZES if waste(wanted, s) <= waste(wanted, 1) + 0.06)
    return Plan(order, size, pins, lambda r: wanted[r.index], hottest(requests, paths, uses))


def waste(wanted, size):
    return sum(amount % size for amount in wanted.values()) / max(1, sum(wanted.values()))


def choose(late, wanted, requests, budget):
    """Take the pins that save most for each turn they hold, as long as there is budget."""
    held, chosen = defaultdict(int), []
    for _, position, index, use in sorted(late, reverse=True):
        span = range(position + 1, use + 1)
        if len(span) > 500 or any(held[turn] + wanted[index] > budget for turn in span):
            continue
        for turn in span:
            held[turn] += wanted[index]
        chosen.append(Pin(requests[index].tokens[: wanted[index]], position + 1, use + 1))
    return chosen


def numbered(requests):
    numbers, paths = {}, []
    for request in requests:
        tokens, path = request.tokens, []
        for end in range(8, len(tokens) + 1, 8):
            key = path[-1] if path else None, tokens[end - 8 : end]
            path.append(numbers.setdefault(key, len(numbers)))
        paths.append(path)
    return paths


def arrange(paths, wait):
    left, order = list(range(len(paths))), []
    while left:
        near = left[: 3 * wait] if len(order) < left[0] + wait else left[:1]
        last = set(paths[order[-1]]) if order else set()
        best = max(near, key=lambda index: len(last.intersection(paths[index])))
        left.remove(best)
        order.append(best)
    return order


def hottest(requests, paths, uses):
    saved, found = 0, ()
    for request, path in zip(requests, paths, strict=True):
        for steps, number in enumerate(path, 1):
            if steps * (len(uses[number]) - 1) > saved:
                saved, found = steps * (len(uses[number]) - 1), request.tokens[: 8 * steps]
    return found
