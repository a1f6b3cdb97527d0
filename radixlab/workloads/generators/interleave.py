"""Several clients at once: their requests mixed, each client's own in order.

It knows iterators of requests and how many may be open. It does not know what they ask.
"""

from collections.abc import Callable, Iterator
from itertools import count

import numpy as np

from radixlab.config import positive
from radixlab.workloads.generators.draw import between
from radixlab.workloads.request import Request


def interleave(
    rng: np.random.Generator,
    num_requests: int,
    num_open: int,
    start: Callable[[int], Iterator[Request]],
) -> Iterator[Request]:
    """Mix the requests of clients 0, 1, 2, …, of whom at most `num_open` are active at a time.

    `start(number)` begins a client, which must have a request at least. Clients come one by one:
    the next request is a newcomer's or any active client's, all equally likely. Who has nothing
    left to ask gives way to a newcomer.
    """
    active: list[Iterator[Request]] = []
    numbers = count()
    for _ in range(positive("num_requests", num_requests)):
        place = between(rng, 0, min(len(active), num_open - 1))
        if place == len(active):
            active.append(start(next(numbers)))
        request = next(active[place], None)
        if request is None:
            active[place] = start(next(numbers))
            request = next(active[place])
        yield request
