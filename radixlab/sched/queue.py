"""Who waits, and in which order: what the cache has of each is looked up in one batch.

Only a window of the queue is looked at in a step, those that have waited longest, so that a step
costs the same behind a long queue as behind a short one. Knows requests and the tree; blocks and
budgets are the scheduler's.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from operator import attrgetter

from radixlab.cache.batch import match_batch
from radixlab.cache.tree import RadixTree
from radixlab.config import SchedulerConfig
from radixlab.sched.errors import OrderError
from radixlab.sched.order import ORDERS, Waiting, with_ageing
from radixlab.sched.request import Request


class WaitingQueue:
    """Waiting requests: in front those that ran before, then by arrival."""

    def __init__(self, tree: RadixTree, config: SchedulerConfig) -> None:
        if config.order not in ORDERS:
            raise OrderError(f"no order {config.order!r}: there are {', '.join(ORDERS)}")
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
        """Put a new request at the end."""
        self._new[request.id] = request

    def put_back(self, request: Request) -> None:
        """Put a request that ran before in front: its turn was earlier, so nobody passes it."""
        request.num_passes = self._config.max_passes
        self._preempted[request.id] = request

    def remove(self, request: Request) -> None:
        """Take out a request, wherever it stands."""
        (self._preempted if request.id in self._preempted else self._new).pop(request.id)

    def is_aged(self, request: Request) -> bool:
        """Whether it was passed so often that it goes before all others."""
        return request.num_passes >= self._config.max_passes

    def in_order(self) -> list[tuple[Request, int]]:
        """List the window, the next first, each with the blocks that the cache has of it.

        Raises `OrderError` if the configured order fails, or does not return exactly those it got.
        """
        window = self._window()
        prompts, namespaces = [r.tokens for r in window], [r.namespace for r in window]
        found = match_batch(self._tree, prompts, namespaces, spare_tokens=1)
        size, by_id = self._tree.block_size, {r.id: r for r in window}
        blocks = {r.id: f.num_blocks for r, f in zip(window, found, strict=True)}
        waiting = [
            Waiting(r.id, f.num_blocks * size, f.child or f.node, r.num_passes)
            for r, f in zip(window, found, strict=True)
        ]
        order = self._arrivals(waiting)
        if len(order) != len(window) or by_id.keys() != set(order):
            num_kept = len(by_id.keys() & set(order))
            raise OrderError(
                f"order {self._config.order!r} returned {len(order)} requests, {num_kept} of the "
                f"{len(window)} that it was given"
            )
        return [(by_id[id], blocks[id]) for id in order]

    def start_over(self, requests: Iterable[Request]) -> None:
        """Let these wait, and nobody else; those that ran before are in front."""
        self._preempted, self._new = {}, {}
        for request in requests:
            self.put_back(request) if request.num_preemptions else self.add(request)

    def count_passes(self, admitted: Iterable[Request]) -> None:
        """Let whoever still waits, and came before one of these, know that it was passed."""
        last = max((request.id for request in admitted), default=-1)
        for request in self._window():
            request.num_passes += request.id < last

    def _arrivals(self, waiting: list[Waiting]) -> list[int]:
        """Ask the order, which may be a learner's own."""
        try:
            return [place.arrival for place in self._order(waiting)]
        except Exception as error:
            raise OrderError(
                f"order {self._config.order!r} failed: {type(error).__name__}: {error}"
            ) from error

    def _window(self) -> list[Request]:
        return list(islice(self, self._config.max_lookups))
