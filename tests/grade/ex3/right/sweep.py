# All requests sorted once by their tokens; the oldest of those around the last one goes next.
from itertools import pairwise

from radixlab.exercise.workload import Plan

PATTERN = "document-qa"
AROUND = 40


def plan(workload):
    requests = workload.requests
    line = sorted(range(len(requests)), key=lambda index: requests[index].tokens)
    alike = [
        num_alike(requests[one].tokens, requests[other].tokens) for one, other in pairwise(line)
    ]
    wanted = {
        index: max(alike[max(0, place - 1) : place + 1], default=0)
        for place, index in enumerate(line)
    }
    order = serve(requests, line, alike, workload.max_wait)
    hot = hot_spot(line, alike, requests)
    return Plan(order, 32, [], lambda request: wanted[request.index], hot)


def num_alike(one, other):
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def serve(requests, line, alike, wait):
    """Order of arrival, from which one departs for whoever shares most with the last one."""
    rank = {index: place for place, index in enumerate(line)}
    order, served, oldest, last = [], set(), 0, None
    while len(order) < len(line):
        best = (0, -oldest)
        if last is not None and len(order) - oldest < wait:
            for share, index in around(line, alike, rank[last]):
                if index in served or index > oldest + 3 * wait:
                    continue
                if requests[index].after is None or requests[index].after in served:
                    best = max(best, (share, -index))
        last = -best[1]
        order.append(last)
        served.add(last)
        while oldest in served:
            oldest += 1
    return order


def around(line, alike, place):
    """Neighbours in the line, with what they share with the one at this place."""
    for step in (1, -1):
        there, share = place, 1 << 30
        for _ in range(AROUND):
            there += step
            if not 0 <= there < len(line):
                break
            share = min(share, alike[min(there, there - step)])
            yield share, line[there]


def hot_spot(line, alike, requests):
    """The largest rectangle under what neighbours share: so long, and so many of them."""
    best, prefix, stack = 0, (), []
    for place, length in enumerate([*alike, 0]):
        start = place
        while stack and stack[-1][1] >= length:
            start, tall = stack.pop()
            if tall * (place - start) > best:
                best, prefix = tall * (place - start), requests[line[start]].tokens[:tall]
        stack.append((start, length))
    return prefix
