"""A rehearsal: a learner's part behind the bridge, without any engine, on drawn requests.

The same adapters that serve SGLang and vLLM serve here, with a free list in the place of the
engine. A part that breaks its contract is named; a right one is compared with ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from radixlab.bridge.chunks import Chunks
from radixlab.bridge.errors import BrokenPartError
from radixlab.bridge.own_tree import OwnTree
from radixlab.bridge.pages import Offer, Pages, PageTokens
from radixlab.bridge.your_policy import YourPolicy
from radixlab.bridge.your_tree import YourTree
from radixlab.cache.eviction import LRU
from radixlab.cache.protocols import EvictionPolicy
from radixlab.guarded_call import CallFailed, Watch

NUM_REQUESTS = 300
PAGE_SIZE = 4
NUM_PAGES, NUM_CHUNKS = 48, 32
TOKENS = 2**20
LIMIT_S = 10.0
"""CPU time of a rehearsal; one of the worked solutions takes a fraction of a second."""
Done = tuple[int, int, str]
"""What was found, how many requests were served, and the fault."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a part did; `fault` is one line, and empty for a part that kept its contract."""

    part: str
    engine: str
    unit: str
    num_requests: int
    found: int
    found_by_ours: int
    fault: str = ""

    @property
    def ok(self) -> bool:
        """Whether the part kept its contract to the end."""
        return not self.fault

    def __str__(self) -> str:
        """Return one or two lines of at most 90 columns, apart from a long fault."""
        head = f"{self.part} as {self.engine} would call it: {self.num_requests} requests"
        if self.fault:
            return f"{head}, then out of service:\n  {self.fault}"
        return (
            f"{head}, no fault\n"
            f"  {self.found:,} {self.unit} found; ours with LRU: {self.found_by_ours:,}"
        )


def rehearse_tree(make_tree: Callable[[int], Any], seed: int = 0) -> Rehearsal:
    """Serve drawn requests with a tree of exercise 8.5.1, as SGLang would use it."""
    ours, _, _ = _serve(lambda: OwnTree(PAGE_SIZE), seed)
    found, served, fault = _watched(_serve, lambda: YourTree(make_tree, PAGE_SIZE), seed)
    return Rehearsal("your tree", "SGLang", "pages", served, found, ours, fault)


def rehearse_policy(make_policy: Callable[[], Any], seed: int = 0) -> Rehearsal:
    """Offload drawn requests under a policy of exercise 8.5.4, as vLLM would use it."""
    ours, _, _ = _offload(LRU, seed)
    found, served, fault = _watched(_offload, lambda: YourPolicy.made_by(make_policy), seed)
    return Rehearsal("your policy", "vLLM", "chunks", served, found, ours, fault)


def _watched(run: Callable[..., Done], *arguments: Any) -> Done:
    """Run a learner's part; one that never comes back, or ends the process, is a fault too."""
    try:
        done: Done = Watch(LIMIT_S).call(run, *arguments)
    except CallFailed as error:
        return 0, 0, f"your part {error}"
    return done


def _prompts(seed: int) -> list[PageTokens]:
    """Draw prompts that share beginnings, some of them more popular than others."""
    draw = Random(seed)
    stems = [[draw.randrange(TOKENS) for _ in range(40)] for _ in range(8)]
    prompts = []
    for _ in range(NUM_REQUESTS):
        stem = stems[min(draw.randrange(8), draw.randrange(8))]
        tail = [draw.randrange(TOKENS) for _ in range(draw.randrange(1, 20))]
        prompts.append(np.array(stem[: draw.randrange(8, 41)] + tail, np.int64))
    return prompts


def _serve(make: Callable[[], Pages], seed: int) -> Done:
    """Serve one request after the other; return pages found, requests served and the fault."""
    found = served = 0
    free = list(range(NUM_PAGES))
    try:
        pages = make()
        for tokens in _prompts(seed):
            found += _serve_one(pages, tokens, free)
            pages.check()
            served += 1
    except BrokenPartError as error:
        return found, served, str(error)
    return found, served, ""


def _serve_one(pages: Pages, tokens: PageTokens, free: list[int]) -> int:
    """Match, lock, make room, insert, unlock."""
    prefix = pages.match(tokens)
    pages.lock(prefix)
    num_new = len(tokens) // PAGE_SIZE - len(prefix)
    if num_new > len(free):
        for run in pages.evict(num_new - len(free)):
            free += run.tolist()
    mine = [free.pop() for _ in range(num_new)]
    block_ids = np.array([*prefix.block_ids.tolist(), *mine], np.int32)
    pages.insert(Offer(tokens, block_ids, num_counted_blocks=len(prefix)))
    pages.unlock(prefix)
    return len(prefix)


def _offload(make: Callable[[], EvictionPolicy], seed: int) -> Done:
    """Offload one request after the other; return chunks found, requests and the fault."""
    found = served = 0
    try:
        chunks = Chunks(make())
        for tick, tokens in enumerate(_prompts(seed), 1):
            found += _offload_one(chunks, tokens, tick)
            served += 1
    except BrokenPartError as error:
        return found, served, str(error)
    return found, served, ""


def _offload_one(chunks: Chunks, tokens: PageTokens, tick: int) -> int:
    """Look the prefix up, read it, make room for the rest, and store that."""
    ends = range(PAGE_SIZE, len(tokens) + 1, PAGE_SIZE)
    keys = [tokens[:end].tobytes() for end in ends]
    hit = next((n for n, key in enumerate(keys) if key not in chunks.chunks), len(keys))
    for key in reversed(keys[:hit]):
        chunks.use(key, tick, hit=True)
    missing = [key for key in keys if key not in chunks.chunks]
    if chunks.evict(max(0, len(chunks) + len(missing) - NUM_CHUNKS), keys) is not None:
        above = dict(zip(keys[1:], keys, strict=False))
        for key in missing:
            chunks.insert(key, above.get(key), None, tick, pinned=False)
    return hit
