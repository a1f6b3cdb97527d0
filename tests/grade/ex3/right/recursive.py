# Dictionaries in dictionaries, walked by recursion: one level for each step of eight tokens.
from radixlab.exercise.workload import BLOCK_SIZES, Pin, Plan


def grow(node, steps, index, at=0):
    """Add one request; a node holds its requests under None."""
    node.setdefault(None, []).append(index)
    if at < len(steps):
        grow(node.setdefault(steps[at], {}), steps, index, at + 1)


def hottest(node, depth=0):
    """Return (saved, depth, a request) of the best prefix at or below a node."""
    users = node[None]
    if len(users) < 2:
        return 0, 0, users[0]
    deeper = [hottest(below, depth + 1) for step, below in node.items() if step]
    return max([(8 * depth * (len(users) - 1), depth, users[0]), *deeper])


def shared_steps(one, other, depth=0):
    if depth >= min(len(one), len(other)) or one[depth] != other[depth]:
        return depth
    return shared_steps(one, other, depth + 1)


def used_after(node, steps, next_use, depth=0):
    """Return how deep the steps are used at a later position, and at which."""
    if depth < len(steps) and id(node[steps[depth]]) in next_use:
        return used_after(node[steps[depth]], steps, next_use, depth + 1)
    return depth, next_use.get(id(node), 0)


def mark(node, steps, next_use, position, depth=0):
    next_use[id(node)] = position
    if depth < len(steps):
        mark(node[steps[depth]], steps, next_use, position, depth + 1)


def plan(workload):
    requests, root = workload.requests, {}
    split = [
        tuple(r.tokens[start : start + 8] for start in range(0, len(r.tokens) - 7, 8))[:450]
        for r in requests
    ]
    for index, steps in enumerate(split):
        grow(root, steps, index)
    order = go([], list(range(len(requests))), split, workload.max_wait)
    next_use, wanted, pins = {}, {}, []
    for position in reversed(range(len(order))):
        index = order[position]
        depth, use = used_after(root, split[index], next_use)
        wanted[index] = 8 * depth
        if depth and use - position > 8:
            pins.append(Pin(requests[index].tokens[: 8 * depth], position + 1, use + 1))
        mark(root, split[index], next_use, position)
    total = sum(wanted.values())
    sizes = [s for s in BLOCK_SIZES if sum(a % s for a in wanted.values()) * 18 <= total]
    _, depth, index = hottest(root)
    hot_spot = requests[index].tokens[: 8 * depth]
    return Plan(order, sizes[-1], pins, lambda r: wanted[r.index], hot_spot)


def go(order, left, split, wait):
    while left:
        near = left[: 3 * wait] if len(order) < left[0] + wait else left[:1]
        last = split[order[-1]] if order else ()
        order.append(max(near, key=lambda index: shared_steps(split[index], last)))
        left.remove(order[-1])
    return order
