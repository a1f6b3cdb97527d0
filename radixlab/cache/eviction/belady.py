"""Belady: the block that is used furthest in the future is evicted first. A bound, not a policy.

It must know all future requests, so it can only replay a recorded trace. There it is optimal
(Belady, 1966), also for a tree: while the running request's path is locked, evicting the block
whose next use is furthest away is never worse. Such a block is always the tail of a leaf, because a
request that uses a block uses all blocks above it too. A test compares it with an exhaustive
search.

It ignores one effect: a request may recompute cached blocks, because one token of a prompt is
always left to compute, and an output may repeat cached tokens. Such a leaf is evicted first, since
it costs nothing. In rare cases it would be better to evict the children of such a block too, in
order to evict the block itself at no cost.

It bounds only *serial* replay, with one running request at a time in the given order, and only the
device. With a host tier, evicted blocks are not lost, and the block used furthest in the future may
be the wrong one to write back: it displaces a host block that is used earlier.
"""

import heapq
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from radixlab.cache.protocols import EvictionPolicy, PolicyNode
from radixlab.cache.splitmix import splitmix64
from radixlab.events import Namespace

NEVER = 2**62
"""The next use of a block that is never used again."""
Hashes = npt.NDArray[np.uint64]


class FutureRequest(Protocol):
    """Belady's knowledge of a request; arrays are int32."""

    @property
    def prompt(self) -> npt.NDArray[np.int32]:
        """Token ids that are looked up."""

    @property
    def output(self) -> npt.NDArray[np.int32]:
        """Token ids that are stored after them."""

    @property
    def namespace(self) -> Namespace | None:
        """The namespace of the request."""


class Belady(EvictionPolicy):
    """Furthest next use first, block by block; O(log n) per victim.

    `requests` will be served in order by a new manager. `clock` must return the tick of that
    manager, which identifies the running request: `allocate` and `release` each add one.
    """

    name = "belady"
    reason = "used furthest in the future"
    max_blocks = 1  # the blocks of one leaf have different next uses

    def __init__(self, requests: Iterable[FutureRequest], block_size: int) -> None:
        self._future = Future(requests, block_size)
        self.clock: Callable[[], int] = lambda: 0
        self._prefixes: dict[int, Hashes] = {}
        """By node id: the prefix that ends with each of its blocks."""
        self._tails: dict[int, PolicyNode] = {}
        """By prefix: the evictable leaf that ends with it."""
        self._changed: list[PolicyNode] = []
        """Leaves that may end elsewhere than when a victim was last named."""
        self._heap: list[tuple[int, int, PolicyNode]] = []
        self._running = -1
        """The request that the prefixes below are for."""
        self._own: set[int] = set()
        """The prefixes that it will store."""

    def on_insert(self, node: PolicyNode, tick: int) -> None:
        """Name the node's prefixes once; splits and trims do not change the names."""
        self._prefixes[node.id] = self._name(node)

    def on_split(self, upper: PolicyNode, lower: PolicyNode) -> None:
        """Give each half its prefixes."""
        whole = self._prefixes[lower.id]
        self._prefixes[upper.id] = whole[: upper.num_blocks]
        self._prefixes[lower.id] = whole[upper.num_blocks :]

    def on_remove(self, node: PolicyNode) -> None:
        """Forget the node."""
        self._tails.pop(int(self._prefixes.pop(node.id)[0]), None)

    def on_evictable(self, node: PolicyNode) -> None:
        """Queue the leaf under the next use of its last block."""
        if len(self._prefixes[node.id]) < node.num_blocks:
            self._prefixes[node.id] = self._name(node)  # it grew while it was locked
        self._changed.append(node)
        heapq.heappush(self._heap, (-self._next_use(node), node.id, node))

    def on_protected(self, node: PolicyNode) -> None:
        """Forget the old end of the leaf, and trimmed blocks: it may grow differently now."""
        self._tails.pop(self._tail(node), None)
        self._prefixes[node.id] = self._prefixes[node.id][: node.num_blocks]

    def victim(self) -> PolicyNode | None:
        """Return the leaf whose last block is used furthest in the future.

        Trimming makes a leaf's next use earlier, so an outdated entry is too close to the front,
        and is pushed again with its current key.
        """
        node = self._recomputed() or self._furthest()
        if node is not None:
            self._tails.pop(self._tail(node), None)
            self._changed.append(node)
        return node

    def _furthest(self) -> PolicyNode | None:
        heap = self._heap
        while heap:
            queued, _, node = heap[0]
            if not node.evictable:
                heapq.heappop(heap)
            elif (now := -self._next_use(node)) != queued:
                heapq.heapreplace(heap, (now, node.id, node))
            else:
                return node
        return None

    def _recomputed(self) -> PolicyNode | None:
        """Return a leaf whose last block the running request recomputes and stores anyway.

        Such a block is cached but not matched, because one token of a prompt is always left to
        compute. Evicting it costs nothing.
        """
        changed = {self._tail(node): node for node in self._changed if node.evictable}
        self._tails |= changed
        self._changed.clear()
        if self._running != (running := self.clock() // 2):
            self._running, self._own = running, self._future.stored_by(running)
            ends = self._own & self._tails.keys()
        else:
            ends = self._own & changed.keys()
        return next((node for end in ends if (node := self._tails[end]).evictable), None)

    def _name(self, node: PolicyNode) -> Hashes:
        above = self._prefixes.get(node.parent.id) if node.parent else None
        base = self._future.root(node.namespace) if above is None else above[-1]
        tokens: Any = np.frombuffer(node.edge, np.int32)
        return self._future.prefixes(tokens, node.end - node.num_blocks, base)

    def _tail(self, node: PolicyNode) -> int:
        return int(self._prefixes[node.id][node.num_blocks - 1])

    def _next_use(self, node: PolicyNode) -> int:
        return self._future.next_use(self._tail(node), self.clock() // 2)


class Future:
    """When each prefix of whole blocks is looked up.

    A prefix is identified by a 64-bit hash, so that thousands of long prompts fit in memory. A
    collision would only make the bound slightly less tight.
    """

    def __init__(self, requests: Iterable[FutureRequest], block_size: int) -> None:
        self._block_size = block_size
        random = np.random.default_rng(0)
        self._weights = random.integers(1, 2**63, block_size, dtype=np.uint64) | np.uint64(1)
        self._stored: list[Hashes] = []
        """By request: the prefixes that end with its full blocks."""
        found, index = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        for number, request in enumerate(requests):
            tokens = np.concatenate((request.prompt, request.output))
            whole = tokens[: len(tokens) // block_size * block_size]
            self._stored.append(self.prefixes(whole, 0, self.root(request.namespace)))
            usable = (len(request.prompt) - 1) // block_size  # one token is always left to compute
            found.append(self._stored[-1][:usable])
            index.append(np.full(usable, number))
        hashes, uses = np.concatenate(found), np.concatenate(index)
        order = np.lexsort((uses, hashes))
        self._uses: list[int] = uses[order].tolist()
        names, starts = np.unique(hashes[order], return_index=True)
        stops = np.append(starts[1:], len(hashes))[: len(names)]
        self._spans = dict(
            zip(names.tolist(), zip(starts.tolist(), stops.tolist(), strict=True), strict=True)
        )

    def root(self, namespace: Namespace | None) -> np.uint64:
        """Name the empty prefix of a namespace."""
        return np.uint64(zlib.crc32(repr(namespace).encode()))

    def prefixes(self, tokens: npt.NDArray[np.int32], start: int, base: np.uint64) -> Hashes:
        """Name the prefixes that end with each block of `tokens`, uint64 `[num_blocks]`.

        The first block has index `start` in a sequence; the prefix before it is named `base`. A
        name is the sum of the blocks' hashes, each multiplied by an odd number that depends on its
        index.
        """
        blocks = tokens.reshape(-1, self._block_size).astype(np.uint64)
        places = np.arange(start, start + len(blocks), dtype=np.uint64)
        blocks = splitmix64((blocks * self._weights).sum(1, dtype=np.uint64))
        return base + np.cumsum(blocks * (splitmix64(places) | np.uint64(1)), dtype=np.uint64)

    def stored_by(self, request: int) -> set[int]:
        """Return the prefixes that a request stores, if they are not cached."""
        return set(self._stored[request].tolist()) if request < len(self._stored) else set()

    def next_use(self, prefix: int, now: int) -> int:
        """Return the first request after `now` that looks up the prefix, or `NEVER`."""
        start, stop = self._spans.get(prefix, (0, 0))
        place = bisect_right(self._uses, now, start, stop)
        return self._uses[place] if place < stop else NEVER
