# All requests sorted once by their tokens; what one shares is found among the neighbours.
from bisect import insort
from itertools import pairwise

from radixlab.exercise.workload import BLOCK_SIZES, Pin, Plan

AROUND = 40


def plan(workload):
    requests = workload.requests
    line = sorted(range(len(requests)), key=lambda index: requests[index].tokens)
    alike = [
        num_alike(requests[one].tokens, requests[other].tokens) for one, other in pairwise(line)
    ]
    order = serve(requests, line, alike, workload.max_wait)
    wanted, pins = keep(requests, line, alike, order)
    lost = {size: sum(amount % size for amount in wanted.values()) for size in BLOCK_SIZES}
    size = max(size for size in BLOCK_SIZES if size == 8 or 16 * lost[size] < sum(wanted.values()))
    hot = hot_spot(line, alike, requests)
    return Plan(order, size, pins, lambda request: wanted[request.index], hot)


def num_alike(one, other):
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def serve(requests, line, alike, wait):
    """Order of arrival, from which one departs for whoever shares most with the last one."""
    rank = {index: at for at, index in enumerate(line)}
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


def around(line, alike, at):
    """Neighbours in the line, with what they share with the one at this rank."""
    for step in (1, -1):
        there, share = at, 1 << 30
        for _ in range(AROUND):
            there += step
            if not 0 <= there < len(line):
                break
            share = min(share, alike[min(there, there - step)])
            yield share, line[there]


def keep(requests, line, alike, order):
    """Of the neighbours that are served later, the one that shares most, and the first of these."""
    rank = {index: at for at, index in enumerate(line)}
    position = {index: at for at, index in enumerate(order)}
    wanted, pins = {}, []
    for at, index in enumerate(order):
        later = [
            (share, -position[other])
            for share, other in around(line, alike, rank[index])
            if position[other] > at
        ]
        share, use = max(later, default=(0, 0))
        wanted[index] = share
        if share and 6 < -use - at < 100:
            insort(pins, (at + 1, -use + 1, requests[index].tokens[:share]))
    return wanted, [Pin(tokens, start, end) for start, end, tokens in pins]


def hot_spot(line, alike, requests):
    """The largest rectangle under what neighbours share: so long, and so many of them."""
    best, prefix, stack = 0, (), []
    for at, length in enumerate([*alike, 0]):
        start = at
        while stack and stack[-1][1] >= length:
            start, tall = stack.pop()
            if tall * (at - start) > best:
                best, prefix = tall * (at - start), requests[line[start]].tokens[:tall]
        stack.append((start, length))
    return prefix
