# One long pin for each prefix that comes back again and again, from its first use to its last.
from collections import Counter

from radixlab.exercise.workload import BLOCK_SIZES, Pin, Plan


def plan(workload):
    requests, numbers, paths = workload.requests, {}, []
    for request in requests:
        number, path = 0, []
        for start in range(0, len(request.tokens) - 7, 8):
            number = numbers.setdefault(
                (number, request.tokens[start : start + 8]), len(numbers) + 1
            )
            path.append(number)
        paths.append(path)
    order = arrange(paths, workload.max_wait)
    first, last, count, gaps = {}, {}, Counter(), Counter()
    deepest = {}
    for position, index in enumerate(order):
        depth = sum(number in last for number in paths[index])
        if depth:
            deepest[paths[index][depth - 1]] = index, 8 * depth
        for number in paths[index]:
            count[number] += 1
            gaps[number] += position - last.get(number, position) > 10
            first.setdefault(number, position)
            last[number] = position
    pins = []
    for number, (index, amount) in sorted(deepest.items(), key=lambda item: first[item[0]]):
        span = last[number] - first[number]
        if gaps[number] >= 2 and span < 400 and amount < workload.pin_budget_tokens / 2:
            tokens = requests[index].tokens[:amount]
            pins.append(Pin(tokens, first[number] + 1, last[number] + 1))
    wanted = {}
    for position, index in enumerate(order):
        wanted[index] = 8 * sum(last[number] > position for number in paths[index])
    saved = {n: s * (count[n] - 1) for path in paths for s, n in enumerate(path, 1)}
    hot = max(saved, key=saved.get, default=None)
    spot = next(
        (
            request.tokens[: 8 * (path.index(hot) + 1)]
            for request, path in zip(requests, paths, strict=True)
            if hot in path
        ),
        (),
    )
    sizes = [
        s for s in BLOCK_SIZES if sum(a % s for a in wanted.values()) <= 0.06 * sum(wanted.values())
    ]
    return Plan(order, sizes[-1], pins, lambda request: wanted[request.index], spot)


def arrange(paths, wait):
    left, order, last = list(range(len(paths))), [], []

    def alike(index):
        pairs = zip(paths[index], last, strict=False)
        return next(
            (at for at, (a, b) in enumerate(pairs) if a != b), min(len(paths[index]), len(last))
        )

    for position in range(len(paths)):
        best = left[0] if position >= left[0] + wait else max(left[: 3 * wait], key=alike)
        left.remove(best)
        order.append(best)
        last = paths[best]
    return order
