"""A plan carried out by the real engine: what every request found, and what is left behind."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from radixlab.cache import KVCacheManager, PinError, Tokens
from radixlab.cache.canary import KVCanary
from radixlab.cache.pins import Pin
from radixlab.config import CacheConfig
from radixlab.exercise.workload import Workload
from radixlab.grade.ex3.answers import Answer, PinOrder
from radixlab.workloads import Request

FOREVER_TICKS = 1 << 40
"""A plan's pins end where it says, not by the clock."""


@dataclass(frozen=True, slots=True)
class Served:
    """What came of a plan."""

    hits: tuple[int, ...]
    """Tokens found, by place in the order."""
    num_locked_blocks: int
    """Blocks that could not be given up in the end, after all requests were served."""
    num_void_pins: int
    """Pins that found nothing to keep, or no budget."""

    @property
    def hit_tokens(self) -> int:
        """Tokens found, all together."""
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
    return Served(hits, num_blocks - manager.stats().num_free_blocks, pins.num_void)


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
    for place, index in enumerate(answer.order):
        pins.move_to(place)
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
    """Sets and lifts a plan's pins as the places go by."""

    def __init__(self, manager: KVCacheManager, pins: Sequence[PinOrder]) -> None:
        self._manager, self._held = manager, list[tuple[int, Pin]]()
        self._waiting = sorted(pins, key=lambda pin: pin.from_, reverse=True)
        self.num_void = 0

    def move_to(self, place: int) -> None:
        """Lift the pins that end here, then set those that begin."""
        for until, pin in self._held:
            if until <= place and pin.active:
                self._manager.unpin(pin)
        self._held = [(until, pin) for until, pin in self._held if until > place]
        while self._waiting and self._waiting[-1].from_ <= place:
            wanted = self._waiting.pop()
            try:
                pin = self._manager.pin(np.array(wanted.tokens, np.int32), FOREVER_TICKS)
            except PinError:
                self.num_void += 1
            else:
                self._held.append((wanted.until, pin))
