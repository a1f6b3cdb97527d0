# Functions that remember: no classes, no module state.
from radixlab.exercise.workload import BLOCK_SIZES, Pin, Plan


def namer():
    names = {}
    return lambda above, step: names.setdefault((above, step), len(names))


def path_maker():
    name = namer()

    def path(tokens):
        found = [-1]
        for start in range(0, len(tokens) // 8 * 8, 8):
            found.append(name(found[-1], tokens[start : start + 8]))
        return found[1:]

    return path


def chooser(paths, wait):
    left, last = dict.fromkeys(range(len(paths))), []

    def choose(position):
        oldest = next(iter(left))
        if position >= oldest + wait:
            best = oldest
        else:
            near = [index for index, _ in zip(left, range(3 * wait), strict=False)]
            best = max(near, key=lambda index: shared(paths[index], last))
        del left[best]
        last[:] = paths[best]
        return best

    return choose


def shared(one, other):
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[middle - 1] == other[middle - 1]:
            low = middle
        else:
            high = middle - 1
    return low


def forecaster(paths):
    """Remembers when each prefix is used next, when asked from the end to the start."""
    next_use = {}

    def forecast(position, index):
        path = paths[index]
        depth = len(path)
        while depth and path[depth - 1] not in next_use:
            depth -= 1
        use = next_use[path[depth - 1]] if depth else position
        next_use.update(dict.fromkeys(path, position))
        return 8 * depth, use

    return forecast


def plan(workload):
    requests = workload.requests
    paths = list(map(path_maker(), (request.tokens for request in requests)))
    order = list(map(chooser(paths, workload.max_wait), range(len(paths))))
    forecast = forecaster(paths)
    uses = {i: forecast(p, i) for p, i in reversed(list(enumerate(order)))}
    pins = [
        Pin(requests[index].tokens[: uses[index][0]], position + 1, uses[index][1] + 1)
        for position, index in enumerate(order)
        if uses[index][1] - position > 8
    ]
    amounts = [amount for amount, _ in uses.values()]
    sizes = filter(
        lambda size: sum(amount % size for amount in amounts) <= 0.06 * sum(amounts), BLOCK_SIZES
    )
    return Plan(order, max(sizes), pins, lambda r: uses[r.index][0], hot(requests, paths))


def hot(requests, paths):
    count = {}
    for path in paths:
        for number in path:
            count[number] = count.get(number, 0) + 1
    best = (0, 0, 0)
    for index, path in enumerate(paths):
        for depth, number in enumerate(path):
            best = max(best, ((depth + 1) * (count[number] - 1), index, depth + 1))
    return requests[best[1]].tokens[: 8 * best[2]] if best[0] else ()
