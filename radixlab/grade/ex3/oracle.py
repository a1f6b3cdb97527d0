"""What a plan finds, by the real engine, and the two ends of the scale that it is measured on.

The lower end is order of arrival; the upper end is what would be found if nothing were ever
evicted. Between the two lies what a plan can gain: "the way". The hits in memory
without end also say which prefix saves most: this depends on the traffic alone, not on the plan.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from radixlab.cache import KVCacheManager, PinError, Tokens
from radixlab.cache.pins import Pin
from radixlab.cache.proof.canary import KVCanary
from radixlab.config import CacheConfig
from radixlab.exercise.workload import BLOCK_OVERHEAD_TOKENS, BLOCK_SIZES, Workload
from radixlab.grade.ex3.traffic import Scene
from radixlab.workloads import Request

FOREVER_TICKS = 1 << 40
"""A plan's pins end at the positions that it names, not by the clock."""
DEFAULT_BLOCK_SIZE = 16

Ints = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PinOrder:
    """A pin of the plan's."""

    tokens: Ints
    from_: int
    until: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan that may be carried out."""

    order: Ints
    block_size: int
    pins: tuple[PinOrder, ...]
    insertion: Ints
    """By request, not by position."""
    hot_spot: Ints


@dataclass(frozen=True, slots=True)
class Served:
    """What a plan found."""

    hits: Ints
    """Tokens found, by position in the order."""
    num_locked_blocks: int
    """Blocks that could not be given up in the end, after all requests were served."""
    void_pins: tuple[PinOrder, ...]
    """Pins that found nothing to keep, or no budget."""

    @property
    def hit_tokens(self) -> int:
        """Tokens found, in total."""
        return sum(self.hits)


def serve(
    answer: Answer, requests: Sequence[Request], workload: Workload, with_canary: bool = False
) -> Served:
    """Serve every request as planned, one at a time; with a canary, read what is attended to."""
    manager = pool(answer, workload)
    num_blocks, size = manager.config.num_blocks, manager.config.block_size
    canary = KVCanary(num_blocks, size) if with_canary else None
    pins = Pins(manager, answer.pins)
    hits = tuple(steps(manager, answer, requests, pins, canary))
    manager.evict(num_blocks)
    return Served(hits, num_blocks - manager.stats().num_free_blocks, tuple(pins.void))


def pool(answer: Answer, workload: Workload) -> KVCacheManager:
    """Return an empty cache in blocks of the planned size."""
    size = answer.block_size
    budget = workload.pin_budget_tokens // size
    return KVCacheManager(CacheConfig(workload.num_blocks(size), size, pin_budget_blocks=budget))


def steps(
    manager: KVCacheManager,
    answer: Answer,
    requests: Sequence[Request],
    pins: "Pins",
    canary: KVCanary | None = None,
) -> Iterator[int]:
    """Serve one request after the other, and yield what each found."""
    for position, index in enumerate(answer.order):
        pins.move_to(position)
        yield _life(manager, requests[index], answer.insertion[index], canary)
    pins.move_to(len(answer.order))


def _life(
    manager: KVCacheManager, request: Request, most_tokens: int, canary: KVCanary | None
) -> int:
    num_output = len(request.output)
    prompt = Tokens(request.prompt, reserve_tokens=num_output)
    sequence = manager.allocate(prompt, reserve_tokens=num_output)
    manager.append(sequence, request.output)
    if canary:
        canary.write(sequence)
        canary.read(sequence)
    manager.commit(sequence, sequence.num_tokens, most_tokens)
    manager.release(sequence)
    return sequence.hit_tokens


class Pins:
    """Sets and lifts a plan's pins as the positions go by."""

    def __init__(self, manager: KVCacheManager, pins: Sequence[PinOrder]) -> None:
        self._manager = manager
        self._held: list[tuple[int, int, Pin]] = []  # a heap: until, number, pin
        self._waiting = sorted(pins, key=lambda pin: pin.from_, reverse=True)
        self.void: list[PinOrder] = []

    def move_to(self, position: int) -> None:
        """Lift the pins that end here, then set those that begin."""
        while self._held and self._held[0][0] <= position:
            pin = heapq.heappop(self._held)[2]
            if pin.active:
                self._manager.unpin(pin)
        while self._waiting and self._waiting[-1].from_ <= position:
            wanted = self._waiting.pop()
            try:
                pin = self._manager.pin(np.array(wanted.tokens, np.int32), FOREVER_TICKS)
            except PinError:
                self.void.append(wanted)
            else:
                heapq.heappush(self._held, (wanted.until, len(self._waiting), pin))


def everything_in_order(num_requests: int, block_size: int) -> Answer:
    """Return the plan that plans nothing."""
    return Answer(tuple(range(num_requests)), block_size, (), (1 << 30,) * num_requests, ())


@lru_cache(maxsize=64)
def by_arrival(scene: Scene, block_size: int = DEFAULT_BLOCK_SIZE) -> Served:
    """Serve first come, first served, with everything registered and nothing pinned."""
    answer = everything_in_order(scene.num_requests, block_size)
    return serve(answer, scene.requests(), scene.workload())


@lru_cache(maxsize=64)
def without_end(scene: Scene) -> Served:
    """Serve in order of arrival, in small blocks, with so much memory that nothing is evicted."""
    requests, size = scene.requests(), BLOCK_SIZES[0]
    num_blocks = sum(request.num_tokens // size + 2 for request in requests)
    pool_tokens = num_blocks * (size + BLOCK_OVERHEAD_TOKENS)
    roomy = replace(scene.workload(), pool_tokens=pool_tokens)
    return serve(everything_in_order(len(requests), size), requests, roomy)


@dataclass(frozen=True, slots=True)
class Spot:
    """A prefix that was found."""

    num_tokens: int
    num_requests: int
    """How many found all of it."""
    first_tokens: Ints

    @property
    def saved_tokens(self) -> int:
        """What did not have to be computed because of it."""
        return self.num_tokens * self.num_requests


def top(scene: Scene) -> Spot:
    """Return the prefix, in whole blocks of the smallest size, that saves most."""
    counts: dict[tuple[int, bytes], list[int]] = {}  # by node above and block: number, finds
    best, size = Spot(0, 0, ()), BLOCK_SIZES[0]
    for request, num_hits in zip(scene.requests(), without_end(scene).hits, strict=True):
        above = -1
        for end in range(size, num_hits + 1, size):
            block = request.prompt[end - size : end].tobytes()
            node = counts.setdefault((above, block), [len(counts), 0])
            above, node[1] = node[0], node[1] + 1
            if end * node[1] > best.saved_tokens:
                best = Spot(end, node[1], tuple(request.prompt[:4].tolist()))
    return best


def saved_by(scene: Scene, prefix: Ints) -> int:
    """Return what a prefix saves: its tokens times the requests that find them in the cache."""
    wanted = np.array(prefix, np.int32).tobytes()
    is_cached, saved = False, 0
    for request in scene.requests():
        prompt = request.prompt.tobytes()
        saved += len(prefix) * (is_cached and prompt.startswith(wanted))
        is_cached = is_cached or (prompt + request.output.tobytes()).startswith(wanted)
    return saved
