"""The two ends of the scale: what order of arrival finds, and the most that is known to be found.

The best known plan is no optimum: it is the best of some, in two orders, and may be beaten.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product

import numpy as np

from radixlab.grade.ex3.answers import Answer
from radixlab.grade.ex3.scenes import Scene
from radixlab.grade.ex3.serving import Served, serve
from radixlab.workloads import Request

DEFAULT_BLOCK_SIZE = 16
STEP = 8
"""Tokens per step of a path: no block is smaller."""
HORIZONS = (12, 24, 48)
"""Places ahead in which a prefix has to be wanted again to be registered."""
SIZES = (16, 32, 64)
LOOK_AHEAD = 3
"""The next request is one of the first so many times `max_wait` that are left."""

Path = tuple[int, ...]
"""Numbers of the prefixes of a request, each a step longer than the one before."""
Choose = Callable[[Sequence[int], Sequence[Path], Path], int]


@lru_cache(maxsize=32)
def by_arrival(scene: Scene, block_size: int = DEFAULT_BLOCK_SIZE) -> Served:
    """Serve first come, first served, with everything registered and nothing pinned."""
    answer = everything_in_order(scene.num_requests, block_size)
    return serve(answer, scene.requests(), scene.workload())


def everything_in_order(num_requests: int, block_size: int) -> Answer:
    """Return the plan that plans nothing."""
    return Answer(tuple(range(num_requests)), block_size, (), (1 << 30,) * num_requests, ())


@lru_cache(maxsize=16)
def best_known(scene: Scene) -> Served:
    """Serve the plans that are known, and return the one that found most."""
    requests, workload = scene.requests(), scene.workload()
    paths = prefix_paths(requests)
    found = [by_arrival(scene)]
    for choose, horizon, size in product((most_shared, next_in_sweep), HORIZONS, SIZES):
        order = arrange(paths, workload.max_wait, choose)
        insertion = wanted_again(paths, order, horizon)
        found.append(serve(Answer(order, size, (), insertion, ()), requests, workload))
    return max(found, key=lambda served: served.hit_tokens)


def prefix_paths(requests: Sequence[Request]) -> list[Path]:
    """Give every prefix a number; return those of each request."""
    numbers: dict[tuple[int, bytes], int] = {}
    paths = []
    for request in requests:
        tokens, path, above = np.concatenate((request.prompt, request.output)), [], -1
        for start in range(0, len(tokens) - STEP + 1, STEP):
            step = tokens[start : start + STEP].tobytes()
            above = numbers.setdefault((above, step), len(numbers))
            path.append(above)
        paths.append(tuple(path))
    return paths


def arrange(paths: Sequence[Path], max_wait: int, choose: Choose) -> tuple[int, ...]:
    """Serve whoever is chosen, unless the one that has waited longest may wait no longer.

    The others came later, so whoever overtakes it makes none of them wait too long.
    """
    left, order, last = list(range(len(paths))), list[int](), Path()
    while left:
        may_wait = len(order) < left[0] + max_wait
        eligible = left[: LOOK_AHEAD * max_wait] if may_wait else left[:1]
        index = choose(eligible, paths, last)
        left.remove(index)
        order.append(index)
        last = paths[index]
    return tuple(order)


def most_shared(eligible: Sequence[int], paths: Sequence[Path], last: Path) -> int:
    """Choose whoever shares most with the last one."""
    return max(eligible, key=lambda index: (num_shared(paths[index], last), -index))


def next_in_sweep(eligible: Sequence[int], paths: Sequence[Path], last: Path) -> int:
    """Choose the next one in the order of the paths; after the end, begin again."""
    ahead = [index for index in eligible if paths[index] >= last]
    return min(ahead or eligible, key=lambda index: (paths[index], index))


def wanted_again(paths: Sequence[Path], order: Sequence[int], horizon: int) -> tuple[int, ...]:
    """Return how many tokens of each request one of the next in order begins with as well."""
    found = [0] * len(order)
    for place, index in enumerate(order):
        ahead = order[place + 1 : place + 1 + horizon]
        shared = (num_shared(paths[index], paths[other]) for other in ahead)
        found[index] = STEP * max(shared, default=0)
    return tuple(found)


def num_shared(one: Path, other: Path) -> int:
    """Return how many steps two paths have in common: their last common one is found by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[middle - 1] == other[middle - 1]:
            low = middle
        else:
            high = middle - 1
    return low
