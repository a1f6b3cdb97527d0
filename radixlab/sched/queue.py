"""The waiting requests and their order, with what the cache has of each, looked up in one batch.

A step looks only at a window of the queue, the requests that have waited longest. So the cost of a
step does not grow with the queue. This file knows requests and the tree; the scheduler knows
blocks and budgets.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from operator import attrgetter

from radixlab.cache.batch import match_batch
from radixlab.cache.found import Found
from radixlab.cache.tree import RadixTree
from radixlab.choices import not_one_of
from radixlab.config import SchedulerConfig
from radixlab.escape import count
from radixlab.sched.errors import OrderError
from radixlab.sched.order import ORDERS, Waiting, with_ageing
from radixlab.sched.request import Request


class WaitingQueue:
    """Waiting requests: first those that ran before, then new ones, each by arrival."""

    def __init__(self, tree: RadixTree, config: SchedulerConfig) -> None:
        if config.order not in ORDERS:
            raise OrderError(f"order {not_one_of(config.order, ORDERS)}")
        self._tree = tree
        self._config = config
        self._order = with_ageing(ORDERS[config.order], config.max_passes)
        self._preempted: dict[int, Request] = {}
        self._new: dict[int, Request] = {}

    def __len__(self) -> int:
        return len(self._preempted) + len(self._new)

    def __iter__(self) -> Iterator[Request]:
        preempted = sorted(self._preempted.values(), key=attrgetter("id"))
        return chain(preempted, self._new.values())

    def add(self, request: Request) -> None:
        """Append a new request."""
        self._new[request.id] = request

    def put_back(self, request: Request) -> None:
        """Put a request that ran before in front; no other request passes it again."""
        request.num_passes = self._config.max_passes
        self._preempted[request.id] = request

    def remove(self, request: Request) -> None:
        """Remove a request from the queue."""
        (self._preempted if request.id in self._preempted else self._new).pop(request.id)

    def is_aged(self, request: Request) -> bool:
        """Whether a request was passed so often that it goes before all others."""
        return request.num_passes >= self._config.max_passes

    def in_order(self) -> list[tuple[Request, Found]]:
        """List the window in order, each request with what the cache has of it.

        Raises `OrderError` if the configured order fails, or does not return exactly the requests
        that it was given.
        """
        window = self._window()
        prompts = [r.tokens for r in window]
        namespaces = [r.namespace for r in window]
        found = match_batch(self._tree, prompts, namespaces, spare_tokens=1)
        size = self._tree.block_size
        by_id = {r.id: r for r in window}
        matches = {r.id: f for r, f in zip(window, found, strict=True)}
        waiting = [
            Waiting(r.id, f.num_blocks * size, f.child or f.node, r.num_passes)
            for r, f in zip(window, found, strict=True)
        ]
        order = self._arrivals(waiting)
        if len(order) != len(window) or by_id.keys() != set(order):
            num_kept = len(by_id.keys() & set(order))
            raise OrderError(
                f"order {self._config.order!r} returned {count(len(order), 'request')}, "
                f"{num_kept} of the {len(window)} that it was given"
            )
        return [(by_id[id], matches[id]) for id in order]

    def start_over(self, requests: Iterable[Request]) -> None:
        """Let exactly these requests wait; those that ran before come first."""
        self._preempted = {}
        self._new = {}
        for request in requests:
            self.put_back(request) if request.num_preemptions else self.add(request)

    def count_passes(self, admitted: Iterable[Request]) -> None:
        """Count a pass for each request of the window that one of these was admitted before.

        Rules: S3.
        """
        last = max((request.id for request in admitted), default=-1)
        for request in self._window():
            request.num_passes += request.id < last

    def _arrivals(self, waiting: list[Waiting]) -> list[int]:
        """Return the arrivals in the configured order, which a learner may have written."""
        try:
            return [request.arrival for request in self._order(waiting)]
        except Exception as error:
            raise OrderError(
                f"order {self._config.order!r} failed: {type(error).__name__}: {error}"
            ) from error

    def _window(self) -> list[Request]:
        return list(islice(self, self._config.max_lookups))
