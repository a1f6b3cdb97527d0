"""Cache-aware order: which waiting request to serve next, so that the cache is hit most.

Requests that share a prefix should follow one another, before the prefix is evicted. In depth-first
order of the tree, each cached prefix is needed during one stretch, and never again. The
RadixAttention paper shows that this order is optimal offline if the cache holds the longest request
(arXiv 2312.07104, §3). Online, two approximations are used: *longest prefix first*, and depth first
by the *weight* of the subtrees. Both can starve a request that shares nothing, so both are combined
with ageing.

Orders are pure functions of a few numbers per request, which the scheduler takes from
`radixlab.cache.match_batch`. All orders are total: ties are broken by arrival.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from radixlab.cache.node import Node


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits, as the last look-up found it."""

    arrival: int
    """Unique, and smaller for requests that came earlier."""
    num_cached_tokens: int
    """Prompt tokens that are in the cache now."""
    node: Node
    """The deepest node that it matches, wholly or partly; the root if it matches none."""
    num_passes: int = 0
    """How many times later requests have been admitted before it."""


Order = Callable[[Sequence[Waiting]], list[Waiting]]


def first_come(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Sort by arrival; O(n log n)."""
    return sorted(waiting, key=lambda request: request.arrival)


def longest_prefix_first(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Sort by cached tokens, most first, then by arrival; O(n log n) (S1)."""
    return sorted(waiting, key=lambda request: (-request.num_cached_tokens, request.arrival))


def depth_first_weight(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Visit the tree depth first, the child with the most requests below it first (S4).

    Requests that wait at a node come after those below it, so a request that shares nothing comes
    last. Equal weights are ordered by their earliest arrival. O(n · depth + n log n) for n
    requests.
    """
    weights: dict[int, tuple[int, int]] = {}  # node id: (-requests at or below, first arrival)
    paths = {}
    for request in waiting:
        path = request.node.path()[::-1]
        paths[request.arrival] = path
        for node in path:
            weight, first = weights.get(node.id, (0, request.arrival))
            weights[node.id] = (weight - 1, min(first, request.arrival))

    def key(request: Waiting) -> list[tuple[int, int, int]]:
        path = [(*weights[node.id], node.id) for node in paths[request.arrival]]
        return [*path, (1, request.arrival, -1)]  # 1: after all requests below, whose -weight < 0

    return sorted(waiting, key=key)


def with_ageing(order: Order, max_passes: int) -> Order:
    """Return an order in which no request is passed more than `max_passes` times (S3).

    Requests that have been passed `max_passes` times come first, by arrival; then come the others
    in the given order.

    >>> from radixlab.cache.tree import RadixTree
    >>> root = RadixTree(4).match_prefix([]).node
    >>> hot, cold = Waiting(7, 500, root), Waiting(3, 0, root, num_passes=9)
    >>> order = with_ageing(longest_prefix_first, max_passes=9)
    >>> [request.arrival for request in order([hot, cold])]
    [3, 7]
    """

    def aged(waiting: Sequence[Waiting]) -> list[Waiting]:
        old = [request for request in waiting if request.num_passes >= max_passes]
        young = [request for request in waiting if request.num_passes < max_passes]
        return [*first_come(old), *order(young)]

    return aged


ORDERS: dict[str, Order] = {
    "fcfs": first_come,
    "longest-prefix": longest_prefix_first,
    "depth-first-weight": depth_first_weight,
}
"""Orders by the names that `SchedulerConfig` takes. A plug-in registers itself here."""
