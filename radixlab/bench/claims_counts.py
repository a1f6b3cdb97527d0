"""How a claim is measured by counting: the manager and its naive twin serve the same requests.

Both run in step. A request is admitted to both, and up to `in_flight` requests run at a time; the
oldest is released first, and before the next turn of its own conversation. Nothing is timed, so
every machine counts the same.
"""

import statistics
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from radixlab.bench.claims import FASTER, SMALLER, SOONER, UNBURDENED, Case
from radixlab.bench.claims_traffic import BLOCK_SIZE, IN_FLIGHT, alone
from radixlab.cache import CacheConfig, KVCacheManager, NaiveManager, OutOfBlocksError, Tokens
from radixlab.events import (
    BlockRemoved,
    BlockStored,
    Event,
    NodeLocked,
    NodeSplit,
    NodeUnlocked,
    PrefixMatched,
)
from radixlab.workloads import Request
from radixlab.workloads.replay import fits

TREE_EVENTS = (PrefixMatched, NodeSplit, NodeLocked, NodeUnlocked, BlockStored, BlockRemoved)
"""A look-up, or a change of one node: what a cache does beside handing out blocks."""
WAITS_FOR_THE_LAST = ("turn ", "step ")
"""How a label goes on after its session if the request must wait for the one before it."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the cache and its control spent on the same requests."""

    traffic: str
    num_requests: int
    rejected_requests: int
    """Requests that the whole pool could not hold; no other figure counts them."""
    prompt_tokens: int
    output_tokens: int
    hit_tokens: int
    first_tokens: int
    """Prompt tokens that the median request had to compute; of two in the middle, the larger."""
    control_first_tokens: int
    peak_blocks: int
    """The most blocks that running requests held."""
    control_peak_blocks: int
    evicted_blocks: int

    @property
    def found_of_prompts(self) -> float:
        """The share of prompt tokens that were found."""
        return self.hit_tokens / self.prompt_tokens if self.prompt_tokens else 0.0

    @property
    def found(self) -> float:
        """The share of all tokens, prompts and answers, that were found."""
        num_tokens = self.prompt_tokens + self.output_tokens
        return self.hit_tokens / num_tokens if num_tokens else 0.0

    def cases(self) -> tuple[Case, Case, Case]:
        """Return the claims that are about sharing, each on this traffic."""
        num_tokens = self.prompt_tokens + self.output_tokens
        return (
            Case(FASTER, self.traffic, num_tokens - self.hit_tokens, num_tokens, self.found),
            Case(
                SMALLER,
                self.traffic,
                self.peak_blocks,
                self.control_peak_blocks,
                self.found_of_prompts,
            ),
            Case(
                SOONER,
                self.traffic,
                self.first_tokens,
                self.control_first_tokens,
                self.found_of_prompts,
            ),
        )


def count(
    traffic: str, requests: Iterable[Request], cache: CacheConfig, in_flight: int = IN_FLIGHT
) -> Counted:
    """Serve the requests with the cache and without, and count what each spends."""
    pair = _Pair(cache, in_flight)
    prompts, hits, num_output, rejected = list[int](), list[int](), 0, 0
    for request in requests:
        if not fits(cache, request):
            rejected += 1
            continue
        hits.append(pair.serve(request))
        prompts.append(len(request.prompt))
        num_output += len(request.output)
    computed = [prompt - hit for prompt, hit in zip(prompts, hits, strict=True)]
    return Counted(
        traffic,
        len(prompts),
        rejected,
        sum(prompts),
        num_output,
        sum(hits),
        statistics.median_high(computed or [0]),
        statistics.median_high(prompts or [0]),
        pair.peak,
        pair.control_peak,
        pair.manager.stats().evicted_blocks,
    )


class _Pair:
    """The manager and its twin, with the same requests running in both."""

    def __init__(self, cache: CacheConfig, in_flight: int) -> None:
        self.manager = KVCacheManager(cache)
        self.twin = NaiveManager(
            CacheConfig(cache.num_blocks * in_flight, cache.block_size)
        )  # the control is never short of blocks, so the same requests run in both
        self.in_flight = in_flight
        self.running: deque[tuple[str, Any, Any]] = deque()
        self.peak = self.control_peak = 0

    def serve(self, request: Request) -> int:
        """Start a request in both, releasing older ones as necessary; return its hit tokens."""
        session = _session(request)
        while len(self.running) >= self.in_flight or (
            session and any(session == other for other, _, _ in self.running)
        ):
            self._release_oldest()
        sequence = self._admit(request)
        while sequence is None:
            self._release_oldest()
            sequence = self._admit(request)
        self.running.append((session, sequence, _start(self.twin, request)))
        self._look()
        return int(sequence.hit_tokens)

    def _admit(self, request: Request) -> Any:
        try:
            return _start(self.manager, request)
        except OutOfBlocksError:
            if not self.running:
                raise
            return None

    def _release_oldest(self) -> None:
        _, ours, theirs = self.running.popleft()
        self.manager.release(ours)
        self.twin.release(theirs)

    def _look(self) -> None:
        """Count the blocks in the block tables of the running requests."""
        ours = np.concatenate([ours.block_table for _, ours, _ in self.running])
        theirs = sum(len(theirs.block_table) for _, _, theirs in self.running)
        self.peak = max(self.peak, len(np.unique(ours)))
        self.control_peak = max(self.control_peak, theirs)


def _start(manager: Any, request: Request) -> Any:
    """Take a request through its life up to its release, as `workloads.replay` does."""
    prompt = Tokens(request.prompt, reserve_tokens=len(request.output))
    sequence = manager.allocate(prompt, request.namespace, len(request.output))
    manager.complete(sequence.copies)
    manager.complete(manager.append(sequence, request.output))
    manager.commit(sequence, prompt.num_tokens)
    return sequence


def _session(request: Request) -> str:
    """Return the conversation whose next turn this is; nothing if it need not wait for one."""
    session, _, step = (request.label or "").partition(", ")
    return session if step.startswith(WAITS_FOR_THE_LAST) else ""


@dataclass(frozen=True, slots=True)
class Overhead:
    """What the cache did beside its control on requests that share nothing."""

    traffic: str
    num_requests: int
    tree_operations: int
    """Look-ups, and changes of nodes; where nothing is shared, a look-up visits the root alone."""
    block_operations: int
    """Blocks that the control took and gave back."""
    hit_tokens: int

    def case(self) -> Case:
        """Return the claim on this traffic."""
        taken = self.block_operations / 2 / self.num_requests if self.num_requests else 0.0
        return Case(UNBURDENED, self.traffic, self.tree_operations, self.block_operations, taken)


def overhead(traffic: str, requests: Iterable[Request], cache: CacheConfig) -> Overhead:
    """Serve the requests, one at a time, and count the operations of the tree beside the blocks."""
    manager, twin = KVCacheManager(cache), NaiveManager(cache)
    operations = _Operations()
    manager.emit = operations.hear
    num_requests = num_blocks = hit_tokens = 0
    for request in (request for request in requests if fits(cache, request)):
        sequence, control = _start(manager, request), _start(twin, request)
        num_requests += 1
        num_blocks += len(control.block_table)
        hit_tokens += sequence.hit_tokens
        manager.release(sequence)
        twin.release(control)
    return Overhead(traffic, num_requests, operations.number, 2 * num_blocks, hit_tokens)


class _Operations:
    """Counts what a manager's tree does, as its events tell it."""

    def __init__(self) -> None:
        self.number = 0

    def hear(self, event: Event) -> None:
        """Count an event if it is about the tree."""
        self.number += isinstance(event, TREE_EVENTS)


def overhead_by_length(lengths: Iterable[int], num_requests: int) -> Iterator[tuple[int, Overhead]]:
    """Measure the overhead on prompts of each length, in a pool that holds ten of them."""
    for length in lengths:
        cache = CacheConfig(10 * -(-length // BLOCK_SIZE))
        yield length, overhead(f"{length:,} tokens", alone(length, num_requests), cache)
